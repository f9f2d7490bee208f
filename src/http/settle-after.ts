import type { SessionBag } from './bag'

/**
 * Runs the rest of a request and makes its response wait for the session: the outermost
 * middleware of a host with web responses. The error of a write that failed takes the place of any answer.
 */
export async function settleAfter(bag: SessionBag, next: () => unknown): Promise<unknown> {
  try {
    const answer = await next()
    await bag.settle()
    // The headers of a response that was fetched cannot be changed.
    return answer instanceof Response && bag.isMisplaced(answer.headers) ? new Response(answer.body, answer) : answer
  }
  catch (error) {
    // Fails once at most, so this is not the error of the write above.
    await bag.settle()
    throw error
  }
}
