import { elapsed } from '../clock'

/** Milliseconds of work after which others get their turn. */
const MAX_WORK = 5

/** Milliseconds that others get. */
const PAUSE = 10

/** A single record that cannot be removed is left for the next time; storage that fails ends the sweep. */
const MAX_FAILURES_IN_A_ROW = 10

/** Keys that are visited at once: the answers of a disk or a network come side by side. */
const SIDE_BY_SIDE = 16

/**
 * Visits keys in short turns with pauses, so that a sweep through a million records keeps no
 * request waiting.
 *
 * @param keys the keys to visit, in lots
 * @param remove removes the record of a key if it has expired, and says whether it did
 * @param signal ends the sweep early
 * @returns how many were removed
 * @throws the last error when storage fails again and again
 */
export async function sweep(keys: AsyncIterable<readonly string[]> | Iterable<readonly string[]>, remove: (key: string) => Promise<boolean>, signal?: AbortSignal): Promise<number> {
  let removed = 0
  let failures = 0
  let turnEnds = elapsed() + MAX_WORK
  const visit = async (key: string): Promise<void> => {
    try {
      if (await remove(key))
        removed++
      failures = 0
    }
    catch (error) {
      if (++failures >= MAX_FAILURES_IN_A_ROW)
        throw error
    }
  }
  for await (const batch of keys) {
    for (let start = 0; start < Math.max(batch.length, 1); start += SIDE_BY_SIDE) {
      if (signal?.aborted)
        return removed
      await Promise.all(batch.slice(start, start + SIDE_BY_SIDE).map(visit))
      if (elapsed() >= turnEnds) {
        await new Promise(resolve => setTimeout(resolve, PAUSE))
        turnEnds = elapsed() + MAX_WORK
      }
    }
  }
  return removed
}
