/** Milliseconds of work after which others get their turn. */
const MAX_WORK = 5

/** Milliseconds that others get. */
const PAUSE = 10

/** A single record that cannot be removed is left for the next time; storage that fails ends the sweep. */
const MAX_FAILURES_IN_A_ROW = 10

/**
 * Visits keys one after the other, in short turns with pauses, so that a sweep through a
 * million records keeps no request waiting.
 *
 * @param keys the keys to visit
 * @param remove removes the record of a key if it has expired, and says whether it did
 * @param signal ends the sweep early
 * @returns how many were removed
 * @throws the last error when storage fails again and again
 */
export async function sweep(keys: AsyncIterable<string> | Iterable<string>, remove: (key: string) => Promise<boolean>, signal?: AbortSignal): Promise<number> {
  let removed = 0
  let failures = 0
  let turnEnds = performance.now() + MAX_WORK
  for await (const key of keys) {
    if (signal?.aborted)
      break
    try {
      removed += Number(await remove(key))
      failures = 0
    }
    catch (error) {
      if (++failures >= MAX_FAILURES_IN_A_ROW)
        throw error
    }
    if (performance.now() >= turnEnds) {
      await new Promise(resolve => setTimeout(resolve, PAUSE))
      turnEnds = performance.now() + MAX_WORK
    }
  }
  return removed
}
