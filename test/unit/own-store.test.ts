import type { SessionEvent, SessionOptions } from '../../src/h3'
import type { SessionRecord, SessionStore } from '../../src/core/types'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SessionError } from '../../src/core/errors'
import { createOwnStore } from '../../src/core/stores/own'
import { sessionMiddleware, updateSession, useSession } from '../../src/h3'
import { caught } from './support/errors'
import { HOSTS } from './support/h3-hosts'
import { SECRET } from './support/app'
import { itKeepsTheContract, KEY, recordOf } from './support/store-contract'

type Method = 'get' | 'set' | 'delete' | 'compareAndSet'

/** A store as apps write them: texts in a map, with fields that only its own methods reach. */
class TextStore implements SessionStore {
  readonly #texts = new Map<string, string>()

  async get(key: string): Promise<unknown> {
    const text = this.#texts.get(key)
    return text && JSON.parse(text)
  }

  async set(key: string, record: SessionRecord): Promise<void> {
    this.#texts.set(key, JSON.stringify(record))
  }

  async delete(key: string): Promise<void> {
    this.#texts.delete(key)
  }

  async* keys(): AsyncIterable<string[]> {
    yield [...this.#texts.keys()]
  }
}

/** The same with compare-and-set. */
class ComparingStore extends TextStore {
  async compareAndSet(key: string, revision: string | undefined, record: SessionRecord | undefined): Promise<boolean> {
    const stored = await super.get(key) as SessionRecord | undefined
    if (stored?.revision !== revision)
      return false
    await (record ? super.set(key, record) : super.delete(key))
    return true
  }
}

/** One that has everything at hand, and promises nothing. */
class PromptStore implements SessionStore {
  readonly #texts = new Map<string, string>()

  get(key: string): unknown {
    const text = this.#texts.get(key)
    return text && JSON.parse(text)
  }

  set(key: string, record: SessionRecord): void {
    this.#texts.set(key, JSON.stringify(record))
  }

  delete(key: string): void {
    this.#texts.delete(key)
  }

  compareAndSet(key: string, revision: string | undefined, record: SessionRecord | undefined): boolean {
    const stored = this.get(key) as SessionRecord | undefined
    if (stored?.revision !== revision)
      return false
    if (record)
      this.set(key, record)
    else
      this.delete(key)
    return true
  }
}

const FAILURES: [how: string, fail: () => never | Promise<never>][] = [
  ['rejects', async () => {
    throw new Error('lost')
  }],
  ['throws', () => {
    throw new Error('lost')
  }],
  ['rejects with no error', async () => {
    // eslint-disable-next-line no-throw-literal
    throw 'lost'
  }],
  ['never answers', () => new Promise<never>(() => {})],
]

const CASES = [
  { store: TextStore, method: 'get', path: '/change' },
  { store: TextStore, method: 'set', path: '/change' },
  { store: TextStore, method: 'delete', path: '/end' },
  { store: ComparingStore, method: 'compareAndSet', path: '/change' },
  { store: ComparingStore, method: 'compareAndSet', path: '/end' },
] as const satisfies { store: new () => SessionStore, method: Method, path: string }[]

beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}))
afterEach(() => void vi.restoreAllMocks())

/** Changes the session, or ends it, and does not look how that went. */
async function careless(event: SessionEvent, options: SessionOptions): Promise<string> {
  const session = await useSession(event, { ...options })
  if (Reflect.get(event, 'path') === '/end')
    void session.destroy().catch(() => {})
  else
    session.set('at', Math.random())
  return 'done'
}

describe.each(HOSTS.filter(({ isNode }) => isNode))('a store of one\'s own, $name', ({ start }) => {
  it.each(CASES.flatMap(each => FAILURES.map(([how, fail]) => ({ ...each, how, fail }))))('whose $method $how at $path is a 503', async ({ store: Store, method, path, fail }) => {
    const store: SessionStore = new Store()
    const options: SessionOptions = { secret: SECRET, store }
    const visitor = await start(event => careless(event, options))
    await visitor.fetch('/change')
    store[method] = fail
    options.timeout = 50
    expect((await visitor.fetch(path)).status).toBe(503)
  })

  it.each([TextStore, ComparingStore])('loses no update of parallel requests, whatever options they name it in', async (Store) => {
    const store = new Store()
    const visitor = await start(async (event) => {
      await useSession(event, { secret: SECRET, store, timeout: 5000 + Math.floor(Math.random() * 10) })
      return updateSession<{ visits: number }>(event, ({ visits = 0 }) => ({ visits: visits + 1 }))
    })
    await visitor.json('/')
    await Promise.all(Array.from({ length: 20 }, () => visitor.json('/')))
    expect(await visitor.json('/')).toEqual({ visits: 22 })
  })

  it('that is promised is a 503 as well when it fails', async () => {
    const store: SessionStore = new TextStore()
    const options: SessionOptions = { secret: SECRET, store: Promise.resolve(store) }
    const visitor = await start(event => careless(event, options))
    await visitor.fetch('/change')
    store.set = async () => {
      throw new Error('lost')
    }
    expect((await visitor.fetch('/change')).status).toBe(503)
  })

  it('that is away lets pages answer which need no session', async () => {
    const store: SessionStore = new TextStore()
    const options: SessionOptions = { secret: SECRET, store }
    const visitor = await start(async (event) => {
      if (Reflect.get(event, 'path') === '/set')
        (await useSession(event)).set('a', 1)
      return 'done'
    }, [sessionMiddleware(options)])
    await visitor.fetch('/set')
    store.get = async () => {
      throw new Error('away')
    }
    expect((await visitor.fetch('/')).status).toBe(200)
  })
})

describe.each([['promises', () => new ComparingStore()], ['answers at once', () => new PromptStore()]])('what one becomes that %s', (_, create) => {
  itKeepsTheContract({
    async open() {
      const store = createOwnStore(create(), 5000)
      return () => store
    },
    isAtomic: false,
  })
})

describe('what it becomes', () => {
  it('compares, lists and drops only where it does', () => {
    const own = createOwnStore({ get: async () => {}, set: async () => {}, delete: async () => {} }, 5000)
    expect(Object.keys(own)).toEqual(['get', 'set', 'delete'])
  })

  it('may answer null for a missing record', async () => {
    const inner = new TextStore()
    inner.get = async () => null
    expect(await createOwnStore(inner, 5000).get(KEY)).toBeUndefined()
  })

  it('fails with STORAGE_ERROR, its own error as the cause', async () => {
    const [inner, cause] = [new TextStore(), new Error('lost')]
    inner.get = async () => {
      throw cause
    }
    expect(await caught(() => createOwnStore(inner, 5000).get(KEY))).toMatchObject({ code: 'STORAGE_ERROR', cause })
  })

  it('fails with its own STORAGE_ERROR', async () => {
    const [inner, error] = [new TextStore(), new SessionError('STORAGE_ERROR', 'lost')]
    inner.set = async () => {
      throw error
    }
    expect(await caught(() => createOwnStore(inner, 5000).set(KEY, recordOf({}), 60))).toBe(error)
  })

  it('fails to list with STORAGE_ERROR', async () => {
    const [inner, cause] = [new TextStore(), new Error('lost')]
    inner.keys = async function* () {
      yield []
      throw cause
    }
    expect(await caught(async () => {
      for await (const _ of createOwnStore(inner, 5000).keys!(0));
    })).toMatchObject({ code: 'STORAGE_ERROR', cause })
  })
})
