import type { Storage } from 'unstorage'
import type { ConnectStore, ExpressSessionOptions, OldRecordStore } from '../../src/core/index'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createStorage, prefixStorage } from 'unstorage'
import { createStorage as createStorage2, prefixStorage as prefixStorage2 } from 'unstorage-v2'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createUnstorageStore, fromExpressSession, signCookie } from '../../src/core/index'
import { Browser, MODES, NOON, returning } from './support/app'
import { codeOf } from './support/errors'
import { temporaryFolder } from './support/folders'
import { Recorder } from './support/observer'
import { createMemoryStore, createOldExpressApp } from '../support/other-packages'
import { movingIn, NewApp, OLD_APP_SECRET, OldStorage } from './support/old-sessions'

/** A visitor of analog-tools: the same signature, an id of nanoid, a record of data only. */
function analogVisitor(text: string, secret = OLD_APP_SECRET): { browser: Browser, old: OldStorage, app: NewApp } {
  const id = 'V1StGXR8_Z5jdHi6B-myT'
  const old = new OldStorage()
  old.put(id, text)
  return {
    old,
    browser: new Browser([['connect.sid', encodeURIComponent(signCookie(id, secret))]]),
    app: new NewApp(fromExpressSession({ secret: OLD_APP_SECRET, store: old.store })),
  }
}

describe('a session of express-session', () => {
  it('leaves behind what was kept of its cookie', async () => {
    const { app, browser } = await movingIn({}, { user: 'ada', passport: { user: 1 } })
    expect(await browser.read(app)).toEqual({ user: 'ada', passport: { user: 1 } })
  })

  it('can have an id of its own making', async () => {
    const { app, browser } = await movingIn({}, { user: 1 }, createOldExpressApp({ genid: () => crypto.randomUUID() }))
    expect(await browser.read(app)).toEqual({ user: 1 })
  })

  it('can have any cookie name', async () => {
    const { old, cookie } = await movingIn({}, { user: 1 }, createOldExpressApp({ name: 'sid' }))
    const app = new NewApp(fromExpressSession({ secret: OLD_APP_SECRET, store: old.store, cookie: { name: 'sid' } }))
    expect(await new Browser([cookie]).read(app)).toEqual({ user: 1 })
  })

  it('is read by any secret of an array, as express-session signs by the first', async () => {
    const { old, cookie } = await movingIn({}, { user: 1 }, createOldExpressApp({ secret: ['old', 'older'] }))
    const app = new NewApp(fromExpressSession({ secret: ['new', 'old'], store: old.store }))
    expect(await new Browser([cookie]).read(app)).toEqual({ user: 1 })
  })

  it('is a visitor where no secret verifies it', async () => {
    const { old, cookie } = await movingIn()
    const app = new NewApp(fromExpressSession({ secret: 'another', store: old.store }))
    expect(await new Browser([cookie]).hasSession(app)).toBe(false)
    expect(old.driver.calls).toEqual([])
  })

  it('is a visitor after its own expiry, whatever the storage still holds', async () => {
    const { app, old, browser } = await movingIn({}, { user: 1 }, createOldExpressApp({ cookie: { maxAge: 60_000 } }))
    app.app.clock.now = Date.now() + 61_000
    const recorder = new Recorder()
    const visit = await browser.visit(app, recorder)
    expect([visit.request.exists, visit.setCookies, recorder.events, old.ids.length]).toEqual([false, [], ['unknown'], 1])
  })

  it('is good for as long as storage holds it that drops what has expired: its record may be older than its time', async () => {
    const { app, old, cookie } = await movingIn({}, { user: 1 }, createOldExpressApp({ cookie: { maxAge: 60_000 } }))
    app.app.clock.now = Date.now() + 61_000
    const dropping = new NewApp(fromExpressSession({ secret: OLD_APP_SECRET, store: { ...old.store, dropsExpired: async () => true } }), {}, app.app)
    expect(await new Browser([cookie]).read(dropping)).toEqual({ user: 1 })
  })

  it.each([
    ['has passed', NOON - 1000, false],
    ['is to come', NOON + 1000, true],
  ])('may have its expiry as a number, which %s', async (_, expires, isGood) => {
    const { app, browser, old } = await movingIn()
    old.put(old.ids[0]!, JSON.stringify({ user: 'ada', cookie: { originalMaxAge: 1000, expires } }))
    expect(await browser.hasSession(app)).toBe(isGood)
  })

  it('lives by the limits of ours from then on', async () => {
    const { app, browser } = await movingIn({ maxAge: 3600 }, { user: 1 }, createOldExpressApp({ cookie: { maxAge: 60_000 } }))
    app.app.clock.now = Date.now()
    await browser.read(app)
    app.app.wait(3500)
    expect(await browser.hasSession(app)).toBe(true)
    app.app.wait(200)
    expect(await browser.hasSession(app)).toBe(false)
  })

  it.each(['null', '[]', '"text"', '1', 'not JSON', '', '{"cookie":{"originalMaxAge":1,"expires":"never"}}'])('is a visitor when its record is %s', async (text) => {
    const { app, old, browser } = await movingIn()
    old.put(old.ids[0]!, text)
    expect(await browser.hasSession(app)).toBe(false)
    expect(await app.app.keys()).toEqual([])
  })
})

describe('a session of analog-tools', () => {
  it('comes in as it is', async () => {
    const { app, old, browser } = analogVisitor('{"visits":3,"cookie":"chocolate"}')
    expect(await browser.read(app)).toEqual({ visits: 3, cookie: 'chocolate' })
    expect(old.ids).toEqual([])
  })

  it('is a visitor where another secret signed', async () => {
    const { app, old, browser } = analogVisitor('{"visits":3}', 'another')
    expect(await browser.hasSession(app)).toBe(false)
    expect(old.driver.calls).toEqual([])
  })
})

describe('a text that the old secret signed for another purpose', () => {
  it.each(['dark', '../../etc/passwd-and-more', 'user:1:with-a-longer-key', 'a b c d e f g h i j', 'x'.repeat(200)])('is no id: %s', async (value) => {
    const { app, old } = analogVisitor('{}')
    const visit = await new Browser([['connect.sid', encodeURIComponent(signCookie(value, OLD_APP_SECRET))]]).visit(app)
    expect([visit.request.isCarried, old.driver.calls]).toEqual([false, []])
  })

  it('leads to no session of ours that is in the same storage', async () => {
    const { app } = await movingIn()
    await (await returning(app.app, { user: 'ada' })).read(app)
    const [key] = await app.app.sessionKeys()
    const same = new NewApp(fromExpressSession({ secret: OLD_APP_SECRET, store: app.app.store }), {}, app.app)
    const recorder = new Recorder()
    const visit = await new Browser([['connect.sid', encodeURIComponent(signCookie(key!.slice('session:'.length), OLD_APP_SECRET))]]).visit(same, recorder)
    expect([visit.request.exists, recorder.events]).toEqual([false, ['corrupt']])
    expect(await app.app.sessionKeys()).toEqual([key])
  })
})

/** A record of the old app under an id, in whatever the user has of its storage. */
const STORES: [what: string, open: (id: string, text: string) => Promise<{ store: ExpressSessionOptions['store'], isLeft: () => Promise<boolean> }>][] = [
  ...[['unstorage 1', createStorage, prefixStorage], ['unstorage 2', createStorage2, prefixStorage2]].flatMap(([version, create, prefix]): typeof STORES => {
    const keep = async (id: string, text: string, view: (root: Storage) => Storage): ReturnType<typeof STORES[number][1]> => {
      const store = view((create as typeof createStorage)())
      await store.setItem(id, JSON.parse(text))
      return { store, isLeft: () => store.hasItem(id) }
    }
    const below = (root: Storage): Storage => (prefix as typeof prefixStorage)(root, 'sess')
    return [
      [`a storage of ${version as string}`, (id, text) => keep(id, text, root => root)],
      [`a storage of ${version as string} with a prefix`, (id, text) => keep(id, text, below)],
      [`a storage of ${version as string} with methods of its own`, (id, text) => keep(id, text, root => ({ ...below(root) }))],
    ]
  }),
  ['what createUnstorageStore gives', async (id, text) => {
    const base = await temporaryFolder()
    await writeFile(join(base, id), text)
    return { store: createUnstorageStore({ type: 'fs', options: { base } }), isLeft: async () => (await readdir(base)).length > 0 }
  }],
  ['the promise of a storage with a prefix', async (id, text) => {
    const root = createStorage()
    await root.setItemRaw(`old:${id}`, text)
    return { store: Promise.resolve(prefixStorage(root, 'old')), isLeft: async () => (await root.getKeys()).length > 0 }
  }],
  ['the promise of a store of express-session', async (id, text) => {
    const store = createMemoryStore()
    store.sessions[id] = text
    return { store: Promise.resolve(store), isLeft: async () => id in store.sessions }
  }],
  ['a SessionStore', async (id, text) => {
    const old = new OldStorage()
    old.put(id, text)
    return { store: old.store, isLeft: async () => old.ids.length > 0 }
  }],
  ['the MemoryStore of express-session', async (id, text) => {
    const store = createMemoryStore()
    store.sessions[id] = text
    return { store, isLeft: async () => id in store.sessions }
  }],
  ['a store that promises and calls back', async (id, text) => {
    const store = createMemoryStore()
    store.sessions[id] = text
    return {
      store: {
        get: async (id, done) => void setImmediate(() => store.get(id, done)),
        destroy: async (id, done) => void setImmediate(() => store.destroy(id, done)),
      },
      isLeft: async () => id in store.sessions,
    }
  }],
]

describe.each(STORES)('an old session in %s', (_, open) => {
  it.each(MODES)('comes in and is gone there, in $mode', async ({ options }) => {
    const old = createOldExpressApp()
    const { id, cookie } = await old.login({ user: 'ada' })
    const { store, isLeft } = await open(id, old.records[id]!)
    const app = new NewApp(fromExpressSession({ secret: OLD_APP_SECRET, store }), options)
    expect(await isLeft()).toBe(true)
    const browser = new Browser([cookie])
    expect(await browser.read(app)).toEqual({ user: 'ada' })
    expect(await browser.read(app)).toEqual({ user: 'ada' })
    expect(await isLeft()).toBe(false)
  })
})

describe('a store of express-session', () => {
  const ID = 'V1StGXR8_Z5jdHi6B-myT'
  const visitWith = (store: Partial<ConnectStore>): { app: NewApp, browser: Browser } => ({
    app: new NewApp(fromExpressSession({ secret: OLD_APP_SECRET, store: { get: (_, done) => done(null, { user: 'ada' }), destroy: (_, done) => done(), ...store } })),
    browser: new Browser([['connect.sid', encodeURIComponent(signCookie(ID, OLD_APP_SECRET))]]),
  })

  it.each([
    ['null', (done: (error: unknown, session?: unknown) => void) => done(null, null)],
    ['nothing', (done: (error: unknown, session?: unknown) => void) => done(null)],
    ['ENOENT, as stores in files do', (done: (error: unknown, session?: unknown) => void) => done(Object.assign(new Error('no file'), { code: 'ENOENT' }))],
  ])('that answers %s has no session', async (_, answer) => {
    const { app, browser } = visitWith({ get: (_, done) => answer(done) })
    const recorder = new Recorder()
    expect([(await browser.visit(app, recorder)).request.exists, recorder.events]).toEqual([false, ['unknown']])
  })

  it.each<[how: string, fail: (done: (error: unknown) => void) => unknown]>([
    ['calls back with an error', done => done(new Error('EIO'))],
    ['throws', () => { throw new Error('EIO') }],
    ['rejects', () => Promise.reject(new Error('EIO'))],
  ])('that %s is a STORAGE_ERROR, and the visitor comes in later', async (_, fail) => {
    let isBroken = true
    const ends: string[] = []
    const { app, browser } = visitWith({
      get: (_, done) => isBroken ? fail(done) : done(null, { user: 'ada' }),
      destroy: (id, done) => ends.push(id) === 1 ? fail(done) : done(),
    })
    const codes = [await codeOf(() => browser.clone().visit(app))]
    isBroken = false
    codes.push(await codeOf(() => browser.clone().visit(app)))
    expect([codes, await browser.read(app), ends]).toEqual([['STORAGE_ERROR', 'STORAGE_ERROR'], { user: 'ada' }, [ID, ID]])
  })

  it('that never calls back is a STORAGE_ERROR', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { app, browser } = visitWith({ get: () => {} })
    const code = codeOf(() => browser.visit(app))
    await vi.advanceTimersByTimeAsync(5000)
    expect(await code).toBe('STORAGE_ERROR')
  })

  it.each([
    ['knows itself what has expired where it gives time to sessions that are only read: a record may be older than its time', { touch: () => {} }, { user: 'ada' }],
    ['has no other time than that of its records where it does not', {}, {}],
  ])('%s', async (_, methods, data) => {
    const { app, browser } = visitWith({ get: (_, done) => done(null, { user: 'ada', cookie: { originalMaxAge: 1, expires: new Date(0) } }), ...methods })
    expect(await browser.read(app)).toEqual(data)
  })

  it.each([
    ['a date, which becomes its text', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
    ['an object with a class, of which the properties stay', { user: new (class { name = 'ada' })() }, { user: { name: 'ada' } }],
    ['what JSON leaves out', { user: 'ada', missing: undefined, call: () => {} }, { user: 'ada' }],
  ])('may hand out %s', async (_, session, data) => {
    const { app, browser } = visitWith({ get: (_, done) => done(null, session) })
    expect(await browser.read(app)).toEqual(data)
  })

  it('whose data go round in a circle is refused', async () => {
    const session: Record<string, unknown> = {}
    session.self = session
    const { app, browser } = visitWith({ get: (_, done) => done(null, session) })
    const recorder = new Recorder()
    expect([(await browser.visit(app, recorder)).request.exists, recorder.events]).toEqual([false, ['corrupt']])
  })
})

describe('old records in a store of one\'s own', () => {
  const METHODS = ['get', 'delete', 'dropsExpired']
  const record = { user: 'ada', cookie: { originalMaxAge: 60_000, expires: '2100-01-01T00:00:00.000Z' } }
  const visitWith = (store: Partial<OldRecordStore>): Promise<string> => {
    const app = new NewApp(fromExpressSession({ secret: OLD_APP_SECRET, store: { get: async () => record, delete: async () => {}, ...store } }))
    return codeOf(() => new Browser([['connect.sid', encodeURIComponent(signCookie('V1StGXR8_Z5jdHi6B-myT', OLD_APP_SECRET))]]).visit(app))
  }

  it.each<[how: string, fail: () => Promise<never>]>([
    ['rejects', () => Promise.reject(new Error('EIO'))],
    ['throws', () => { throw new Error('EIO') }],
  ])('that %s is a STORAGE_ERROR', async (_, fail) => {
    for (const method of METHODS)
      expect([method, await visitWith({ [method]: fail })]).toEqual([method, 'STORAGE_ERROR'])
  })

  it.each(METHODS)('whose `%s` never answers is a STORAGE_ERROR', async (method) => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const code = visitWith({ [method]: () => new Promise(() => {}) })
    await vi.advanceTimersByTimeAsync(5000)
    expect(await code).toBe('STORAGE_ERROR')
  })
})

describe('fromExpressSession', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'redis'],
    ['a function', () => {}],
    ['an empty object', {}],
    ['an array', []],
    ['a store that cannot remove', { get: async () => undefined }],
    ['a storage that cannot remove', { getItem: async () => null, setItem: async () => {} }],
    ['what is there in name only', { get: true, delete: true, destroy: true, getItem: true, setItem: true, removeItem: true }],
  ])('refuses %s as `store` at once', (_, store) => {
    expect(() => fromExpressSession({ secret: OLD_APP_SECRET, store: store as never })).toThrow(expect.objectContaining({ code: 'CONFIG_ERROR', details: { issues: [expect.objectContaining({ path: 'store' })] } }))
  })

  it.each(['', ['a', '']])('refuses an empty secret: %j', (secret) => {
    expect(() => fromExpressSession({ secret, store: new OldStorage().store })).toThrow(TypeError)
  })
})
