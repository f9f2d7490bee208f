import type { SessionManager } from '../../../src/core/index'
import type { Driver } from 'unstorage'
import { createStorage } from 'unstorage'
import { toStorageKey } from '../../../src/core/id'
import { createSessionManager, createStorageStore, resolveOptions } from '../../../src/core/index'
import { createRecord, remainingSeconds } from '../../../src/core/record/record'
import { createRevision } from '../../../src/core/record/revision'
import { toText } from '../../../src/core/stores/text'
import { createIdCodec } from '../../../src/core/cookie/token'
import { TEST_SECRET } from '../../support/nitro'
import { FakeExchange } from '../../unit/support/exchange'

/** A record as a store holds it. */
export interface StoredSession {
  key: string
  text: string
  ttl: number
}

const options = resolveOptions({ secret: TEST_SECRET }, { isProduction: true })
const codec = createIdCodec(options.secrets, options.cookie.name)
const HOUR = 60 * 60 * 1000

/** A manager over one driver, mounted as Nitro does it. */
export function createManager(driver: Driver): SessionManager {
  const storage = createStorage()
  storage.mount('session', driver)
  return createSessionManager(options, { store: createStorageStore(storage, { base: 'session', timeout: options.timeout }) })
}

/** Sessions of people who were here, with 0.3 KB of data each. */
export function* createSessions(size: number, isExpired: (index: number) => boolean = () => false): Generator<StoredSession> {
  const now = Date.now()
  for (let index = 0; index < size; index++) {
    const createdAt = isExpired(index) ? now - options.maxAge * 1000 - HOUR : now
    const record = { ...createRecord(createdAt, options), revision: createRevision(), data: dataOf(index) }
    yield { key: toStorageKey(idOf(index)), text: toText(record), ttl: remainingSeconds(record, now) }
  }
}

/** A request on its way: whose session it carries. */
export interface Arrival {
  user: number
  exchange: FakeExchange
}

/** A request with the cookie of a session, made before its cost is measured. */
export function arrive(user: number): Arrival {
  const id = idOf(user)
  return { user, exchange: new FakeExchange(`${options.cookie.name}=${codec.write({ id, record: createRecord(0, options) })}`) }
}

/** A whole request that reads its session, and changes it when there is a value to store. */
export async function handle(manager: SessionManager, { user, exchange }: Arrival, value?: unknown): Promise<void> {
  const request = manager.open(exchange)
  await request.load()
  if (request.handle.get('user') !== user)
    throw new Error(`The session of user ${user} was not found.`)
  if (value !== undefined)
    request.handle.set('seen', value)
  await request.commit()
}

/** Any text of the right shape will do: the keys are its hash. */
function idOf(index: number): string {
  return `session-${String(index).padStart(16, '0')}`
}

function dataOf(user: number): Record<string, unknown> {
  return { user, roles: ['customer', 'editor'], theme: 'dark', cart: [{ article: 4711, count: 2 }, { article: 815, count: 1 }], seen: 0, csrf: 'b5c8a7e0d1f24c6e9f3a8b7c6d5e4f30' }
}
