import type { Maybe } from '../maybe'
import type { Driver, TextStorage } from './driver'
import { parseStored } from '../record/record'
import { followsOn } from '../record/revision'
import { andThen } from '../maybe'
import { type Address, hostsOf, withPort } from './address'
import { createDriverStorage } from './driver'
import { Notice } from './notice'
import { type ConnectingClient, watchConnection } from './redis-connection'
import { type ScriptClient, Scripts } from './redis-scripts'
import { fromText, isAtRevision, textBeginning } from './text'

/** The part of ioredis that is used; `Redis` and `Cluster` have it. */
interface RedisClient extends ConnectingClient, ScriptClient {
  set(key: string, value: string, expiry: 'EX', seconds: number, condition: 'NX'): Promise<unknown>
  options?: Address & { sentinels?: readonly Address[] }
}

interface RedisDriverOptions {
  base?: string
  cluster?: readonly (Address | string | number)[]
}

/** Redis by the driver of ioredis, with compare-and-set across processes; for others `undefined`. */
export function createRedisStorage(driver: Driver): Maybe<TextStorage | undefined> {
  // That of unstorage 2 loads ioredis at its first use.
  const client = driver.name === 'redis' ? driver.getInstance?.() : undefined
  return andThen(client, client => isRedisClient(client) ? createStorage(driver, client) : undefined)
}

function createStorage(driver: Driver, client: RedisClient): TextStorage {
  const { base = '', cluster } = (driver.options ?? {}) as RedisDriverOptions
  const { get, set, delete: remove } = createDriverStorage(driver)
  const notice = new Notice(`redis at ${addressOf(client, cluster)}`, 'service')
  const connection = watchConnection(client, notice)
  const scripts = new Scripts()
  const nameOf = (key: string): string => joinKeys(base.replace(/:$/, ''), key)
  const create = async (key: string, text: string, ttl: number): Promise<boolean> =>
    await client.set(nameOf(key), text, 'EX', ttl, 'NX') !== null
  const change = (key: string, revision: string | undefined, text: string, ttl: number): Promise<boolean> =>
    scripts.run(client, [nameOf(key), revision === undefined ? '' : textBeginning(revision), text, ttl], async () => {
      // As drivers do that cannot compare.
      if (!isAtRevision(await get(key), revision))
        return false
      await (text === '' ? remove(key) : set(key, text, ttl))
      return true
    })
  return {
    notice,
    outage: () => connection.outage,
    // Whatever else is wrong, the connection tells.
    isAnswer: error => error instanceof Error && error.name === 'ReplyError',
    giveUp: () => connection.giveUp(),
    get,
    set,
    delete: remove,
    async compareAndSet(key, revision, text = '', ttl) {
      const breaksBefore = connection.breaks
      const isDone = await (revision === undefined && text !== '' ? create(key, text, ttl) : change(key, revision, text, ttl))
      if (isDone || connection.breaks === breaksBefore || text === '')
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

function isRedisClient(client: unknown): client is RedisClient {
  return typeof client === 'object' && client !== null && 'eval' in client && typeof client.eval === 'function'
}

/** Where a client connects to, without names and passwords. */
function addressOf({ options = {} }: RedisClient, cluster: RedisDriverOptions['cluster']): string {
  const nodes = cluster ?? options.sentinels ?? [options]
  return nodes.map((node) => {
    const { host = '127.0.0.1', port = 6379, path } = typeof node === 'object' ? node : { port: Number(node) }
    return typeof node === 'string' && /\D/.test(node) ? addressOfNode(node) : path ?? withPort({ host, port })
  }).join(', ')
}

/** Such as `redis://user:password@host:6379`, or `host:6379`. */
function addressOfNode(node: string): string {
  return hostsOf(node.includes('//') ? node : `//${node}`) ?? 'a node of the cluster'
}

/** The key in Redis, as the driver makes it. */
function joinKeys(...keys: string[]): string {
  return keys.map(key => key.replace(/[:/\\]/g, ':').replace(/^:|:$/g, '')).filter(Boolean).join(':')
}
