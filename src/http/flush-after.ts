import type { EventSessions } from './event-sessions'

/** What h3 v2 has in place of a `Response`. */
interface HTTPResponse extends Pick<Response, 'body' | 'status' | 'statusText' | 'headers'> {
  readonly constructor: new (body: Response['body'], init: ResponseInit) => HTTPResponse
}

/**
 * Runs the rest of a request and makes its response wait for the session: the outermost
 * middleware of a host with web responses. The error of a write that failed takes the place of any answer.
 */
export async function flushAfter(sessions: EventSessions, next: () => unknown): Promise<unknown> {
  try {
    const answer = await next()
    await sessions.flush()
    return protectAnswer(sessions, answer)
  }
  catch (error) {
    // Fails once at most, so this is not the error of the write above.
    await sessions.flush()
    const { headers } = Object(error) as { headers?: unknown }
    if (headers instanceof Headers)
      sessions.protect(headers)
    throw error
  }
}

/** Makes another of an answer that is marked for shared caches: one that was fetched cannot be changed, and others may be kept. */
function protectAnswer(sessions: EventSessions, answer: unknown): unknown {
  if (!isResponse(answer) || !sessions.isMisplaced(answer.headers))
    return answer
  const { body, status, statusText } = answer
  const headers = new Headers(answer.headers)
  sessions.protect(headers)
  const Answer = answer instanceof Response ? Response : answer.constructor
  return new Answer(body, { status, statusText, headers })
}

function isResponse(answer: unknown): answer is HTTPResponse {
  return answer instanceof Response || (Object(answer) as Record<symbol, unknown>)[Symbol.for('h3.HTTPResponse')] === true
}
