import { throwIfError } from './storage-error'
import { expiryOf } from './text'

/** Entries that are looked at in one go. */
const BATCH = 200

/** What a driver that lists its keys has. */
interface ListingDriver {
  name?: string
  getInstance?(): unknown
  getKeys?(base: string, options: object): unknown
}

/** The keys of a driver below a prefix, for the clean-up. Those of what lives on may be left out. */
export async function* listKeys(driver: ListingDriver, prefix: string, now: number): AsyncGenerator<readonly string[]> {
  const map = driver.name === 'memory' ? driver.getInstance?.() : undefined
  // A list of a million keys would hold the process; the memory driver's map gives them one by one.
  if (map instanceof Map)
    return yield* listMap(map as Map<string, unknown>, prefix, now)
  const keys = await throwIfError(driver.getKeys?.(prefix, {})) as string[] | undefined ?? []
  for (let start = 0; start < keys.length; start += BATCH)
    yield keys.slice(start, start + BATCH).filter(key => key.startsWith(prefix))
}

/** Only what has expired, or does not tell, so that the others need not be parsed. */
async function* listMap(map: Map<string, unknown>, prefix: string, now: number): AsyncGenerator<readonly string[]> {
  let batch: string[] = []
  let looked = 0
  for (const [key, value] of map) {
    if (key.startsWith(prefix) && !(expiryOf(value) > now))
      batch.push(key)
    if (++looked % BATCH === 0) {
      yield batch
      batch = []
    }
  }
  yield batch
}
