import type { Driver, TextStorage } from './driver'
import { parseStored } from '../record'
import { followsOn } from '../revision'
import { createDriverStorage } from './driver'
import { Notice } from './notice'
import { type ConnectingClient, watchConnection } from './redis-connection'
import { Scripts } from './redis-scripts'
import { fromText, isAtRevision, textBeginning } from './text'

/** The part of ioredis that is used; `Redis` and `Cluster` have it. */
interface RedisClient extends ConnectingClient {
  eval(script: string, keyCount: number, ...keysAndArguments: (string | number)[]): Promise<unknown>
  options?: Address & { sentinels?: readonly Address[] }
}

/** Where a node of Redis is. */
interface Address {
  host?: string
  port?: number
  /** Of a socket of the system. */
  path?: string
}

interface RedisDriverOptions {
  base?: string
  cluster?: readonly (Address | string | number)[]
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
  const { base = '', cluster } = (driver.options ?? {}) as RedisDriverOptions
  const { get, set, delete: remove } = createDriverStorage(driver)
  const notice = new Notice(`redis at ${addressOf(client, cluster)}`)
  const connection = watchConnection(client, notice)
  const byScript = async (key: string, revision: string | undefined, text: string, ttl: number): Promise<boolean> => {
    const expected = revision === undefined ? '' : textBeginning(revision)
    const breaksBefore = connection.breaks
    const isDone = await client.eval(COMPARE_AND_SET, 1, joinKeys(base.replace(/:$/, ''), key), expected, text, ttl) === 1
    if (isDone || connection.breaks === breaksBefore || text === '')
      return isDone
    // After a break ioredis asks again, although the first time may have been carried out.
    if (!isWritten(await get(key), text))
      throw new Error('The connection broke, so it is not known whether the record was written.')
    return true
  }
  /** As drivers do that cannot compare. */
  const byReading = async (key: string, revision: string | undefined, text: string, ttl: number): Promise<boolean> => {
    if (!isAtRevision(await get(key), revision))
      return false
    await (text === '' ? remove(key) : set(key, text, ttl))
    return true
  }
  const scripts = new Scripts()
  return {
    notice,
    outage: () => connection.outage,
    giveUp: () => connection.giveUp(),
    get,
    set,
    delete: remove,
    compareAndSet: (key, revision, text = '', ttl) => scripts.run(() => byScript(key, revision, text, ttl), () => byReading(key, revision, text, ttl)),
  }
}

/** True when a stored value shows that a text was written before it, and no other id has taken its place since. */
function isWritten(stored: unknown, text: string): boolean {
  const [found, own] = [stored, text].map(value => parseStored(fromText(value)))
  return found !== undefined && own !== undefined && followsOn(found.revision, own.revision) && (!found.isReplaced || own.isReplaced === true)
}

function isRedisClient(client: unknown): client is RedisClient {
  return typeof client === 'object' && client !== null && 'eval' in client && typeof client.eval === 'function'
}

/** Where a client connects to, without names and passwords. */
function addressOf({ options = {} }: RedisClient, cluster: RedisDriverOptions['cluster']): string {
  const nodes = cluster ?? options.sentinels ?? [options]
  return nodes.map((node) => {
    const { host = '127.0.0.1', port = 6379, path } = typeof node === 'object' ? node : { port: Number(node) }
    return typeof node === 'string' && /\D/.test(node) ? hostOf(node) : path ?? `${host}:${port}`
  }).join(', ')
}

function hostOf(url: string): string {
  return url.slice(url.lastIndexOf('@') + 1).replace(/^\w+:\/\//, '').split('/', 1)[0]!
}

/** The key in Redis, as the driver makes it. */
function joinKeys(...keys: string[]): string {
  return keys.map(key => key.replace(/[:/\\]/g, ':').replace(/^:|:$/g, '')).filter(Boolean).join(':')
}
