import type { Driver, TextStorage } from './driver'
import { parseStored } from '../record'
import { followsOn } from '../revision'
import { createDriverStorage } from './driver'
import { fromText, textBeginning } from './text'

/** The part of ioredis that is used; `Redis` and `Cluster` have it. */
interface RedisClient {
  eval(script: string, keyCount: number, ...keysAndArguments: (string | number)[]): Promise<unknown>
  on?(event: 'close', listener: () => void): unknown
}

/**
 * Redis runs a script in one go. The stored text must begin with what is expected; an empty
 * expectation asks for the whole text, which is empty only where there is none.
 */
const COMPARE_AND_SET = `
if redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('UNLINK', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) end
return 1`

/** Redis by the driver of ioredis, with compare-and-set across processes; for others `undefined`. */
export async function createRedisStorage(driver: Driver): Promise<TextStorage | undefined> {
  // That of unstorage 2 loads ioredis at its first use.
  const client = driver.name === 'redis' ? await driver.getInstance?.() : undefined
  if (!isRedisClient(client))
    return undefined
  const { base = '' } = (driver.options ?? {}) as { base?: string }
  const { get, set, delete: remove } = createDriverStorage(driver)
  let breaks = 0
  client.on?.('close', () => breaks++)
  return {
    get: async key => Promise.resolve(get(key)).catch(discreet),
    set: async (key, text, ttl) => Promise.resolve(set(key, text, ttl)).catch(discreet),
    delete: async key => Promise.resolve(remove(key)).catch(discreet),
    async compareAndSet(key, revision, text = '', ttl) {
      const expected = revision === undefined ? '' : textBeginning(revision)
      const breaksBefore = breaks
      const isDone = await client.eval(COMPARE_AND_SET, 1, joinKeys(base.replace(/:$/, ''), key), expected, text, ttl).catch(discreet) === 1
      if (isDone || breaks === breaksBefore || text === '')
        return isDone
      // After a break ioredis asks again, although the first time may have been carried out.
      if (!isWritten(await get(key), text))
        throw new Error('The connection broke, so it is not known whether the record was written.')
      return true
    },
  }
}

/** True when a stored value shows that a text was written before it, and no other id has taken its place since. */
function isWritten(stored: unknown, text: string): boolean {
  const [found, own] = [stored, text].map(value => parseStored(fromText(value)))
  return found !== undefined && own !== undefined && followsOn(found.revision, own.revision) && (!found.isReplaced || own.isReplaced === true)
}

/** Rejects with an error of ioredis, without the command that it carries: its arguments are the session. */
function discreet(error: unknown): never {
  if (error instanceof Error && 'command' in error)
    delete error.command
  throw error
}

function isRedisClient(client: unknown): client is RedisClient {
  return typeof client === 'object' && client !== null && 'eval' in client && typeof client.eval === 'function'
}

/** The key in Redis, as the driver makes it. */
function joinKeys(...keys: string[]): string {
  return keys.map(key => key.replace(/[:/\\]/g, ':').replace(/^:|:$/g, '')).filter(Boolean).join(':')
}
