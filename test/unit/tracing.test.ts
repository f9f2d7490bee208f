import type { CoreSessionOptions } from '../../src/core/options'
import type { Session } from '../../src/core/types'
import { AsyncLocalStorage } from 'node:async_hooks'
import { channel, type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel'
import * as fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createTracer } from '../../src/core/tracing'
import { App, Browser, MODES, returning, SECRET } from './support/app'
import { caught, codeOf } from './support/errors'
import { FakeExchange } from './support/exchange'
import { watchProcess } from './support/process-problems'

const OPERATIONS = ['load', 'commit', 'reject'] as const
const MOMENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
const NAMES = OPERATIONS.flatMap(operation => MOMENTS.map(moment => `${operation}:${moment}`))

/** Listens until the test ends. */
function listen(name: string, listener: ChannelListener): void {
  subscribe(`tracing:unsession:${name}`, listener)
  onTestFinished(() => void unsubscribe(`tracing:unsession:${name}`, listener))
}

interface Published {
  /** What was published, in order. */
  names: string[]
  /** What came with it, as it is in the end. */
  traces: object[]
}

function listenToAll(): Published {
  const published: Published = { names: [], traces: [] }
  for (const name of NAMES) {
    listen(name, (trace) => {
      published.names.push(name)
      if (!published.traces.includes(trace as object))
        published.traces.push(trace as object)
    })
  }
  return published
}

/** What is published of one request. */
async function publishedBy(app: App, browser: Browser, act: (session: Session) => unknown = () => {}): Promise<Published> {
  const published = listenToAll()
  await browser.run(app, act)
  return published
}

/** Storage that answers at once. */
function appInMemory(options: CoreSessionOptions = {}): App {
  const records = new Map<string, unknown>()
  return new App(options, { ...new App(), store: { get: key => records.get(key), set: (key, record) => void records.set(key, record), delete: key => void records.delete(key) } as App['store'] })
}

describe('what is published', () => {
  it.each<[what: string, act: (session: Session) => unknown, action: string | undefined]>([
    ['that reads', session => session.get('user'), undefined],
    ['that sets', session => session.set('n', 1), 'update'],
    ['that updates', session => session.update({ n: 1 }), 'update'],
    ['that flashes', session => session.flash('notice', 'Hello'), 'update'],
    ['that empties', session => session.clear(), 'update'],
    ['that gets a new id', session => session.regenerate({ user: 'eve' }), 'regenerate'],
    ['that logs out', session => session.destroy(), 'destroy'],
    ['that saves nothing', session => session.save(), undefined],
  ])('of a request %s is its load and its commit, in all modes', async (_, act, action) => {
    for (const { options } of MODES) {
      const { mode } = options
      const app = new App(options)
      const { traces } = await publishedBy(app, await returning(app), act)
      expect(traces).toEqual([{ mode, result: 'found' }, ...action ? [{ mode, action, result: 'written' }] : []])
    }
  })

  it('of a visitor without a cookie says so, and what begins', async () => {
    expect((await publishedBy(new App(), new Browser(), session => session.set('n', 1))).traces).toEqual([{ mode: 'storage', result: 'none' }, { mode: 'storage', action: 'create', result: 'written' }])
  })

  it('of a session that is kept alive is a touch', async () => {
    const app = new App({ idleTimeout: 60 })
    const browser = await returning(app)
    app.wait(50)
    expect((await publishedBy(app, browser)).traces).toEqual([{ mode: 'storage', result: 'found' }, { mode: 'storage', action: 'touch', result: 'written' }])
  })

  it('of an update that changes nothing says that nothing was written', async () => {
    const app = new App()
    expect((await publishedBy(app, await returning(app), session => session.update({ user: 'ada' }))).traces[1]).toEqual({ mode: 'storage', action: 'update', result: 'unchanged' })
  })

  it('of a session that has expired says so', async () => {
    for (const { options } of MODES) {
      const app = new App({ ...options, maxAge: 60 })
      const browser = await returning(app)
      app.wait(61)
      expect((await publishedBy(app, browser)).traces).toEqual([{ mode: options.mode, result: 'expired' }])
    }
  })

  it('of a session whose record is gone is the load, and in it that it was rejected', async () => {
    const app = new App()
    const browser = await returning(app)
    await app.driver.driver.clear!('', {})
    const { names, traces } = await publishedBy(app, browser)
    expect(traces).toEqual([{ mode: 'storage', result: 'unknown' }, { mode: 'storage', reason: 'unknown', result: 'told' }])
    expect(names).toEqual(['load:start', 'load:end', 'reject:start', 'reject:end', 'load:asyncStart', 'load:asyncEnd'])
  })

  it.each([['session=abc', 'malformed'], [`session=${'A'.repeat(43)}.${'B'.repeat(43)}`, 'signature']])('of the cookie %s is why it was rejected', async (header, reason) => {
    const app = new App()
    const published = listenToAll()
    await app.manager.open(new FakeExchange(header)).load()
    expect(published.traces).toEqual([{ mode: 'storage', result: 'none' }, { mode: 'storage', reason, result: 'told' }])
  })

  it('of a reload is another load', async () => {
    const app = new App()
    expect((await publishedBy(app, await returning(app), session => session.reload())).traces).toEqual([{ mode: 'storage', result: 'found' }, { mode: 'storage', result: 'found' }])
  })

  it('of what is there at once ends at once', async () => {
    for (const app of [new App({ mode: 'cookie' }), appInMemory()]) {
      const browser = await returning(app)
      const published = listenToAll()
      const request = app.manager.open(new FakeExchange(browser.cookieHeader))
      expect(request.ensureLoaded()).toBeUndefined()
      request.handle.set('n', 1)
      expect(request.commit()).toBeUndefined()
      expect(published.names).toEqual(['load:start', 'load:end', 'commit:start', 'commit:end'])
    }
  })

  it('of what storage promises ends twice, as Node does it', async () => {
    const app = new App()
    expect((await publishedBy(app, await returning(app))).names).toEqual(['load:start', 'load:end', 'load:asyncStart', 'load:asyncEnd'])
  })
})

describe('what fails', () => {
  it('is published once, with its code and nothing of its message', async () => {
    const app = new App()
    const browser = await returning(app)
    const cause = app.driver.fail('read', new Error('/data/session/0123456789abcdef'))
    const published = listenToAll()
    const request = app.manager.open(new FakeExchange(browser.cookieHeader))
    expect(await caught(() => request.load())).toMatchObject({ code: 'STORAGE_ERROR', cause })
    await caught(() => request.load())
    expect(published.names).toEqual(['load:start', 'load:end', 'load:error', 'load:asyncStart', 'load:asyncEnd'])
    const { error } = published.traces[0] as { error: Error }
    expect({ ...error, name: error.name, message: error.message, cause: error.cause }).toEqual({ name: 'SessionError', code: 'STORAGE_ERROR', message: 'The session failed with STORAGE_ERROR.', cause: undefined })
  })

  it('to be written is the error of its commit, once, although the response fails with it as well', async () => {
    const app = new App()
    const browser = await returning(app)
    const published = listenToAll()
    const visit = await browser.visit(app)
    app.driver.fail('write')
    visit.session.set('a', 1)
    expect([await codeOf(() => visit.session.save()), await codeOf(() => visit.end())]).toEqual(['STORAGE_ERROR', 'STORAGE_ERROR'])
    expect(published.traces[1]).toMatchObject({ action: 'update', error: { code: 'STORAGE_ERROR' } })
    expect(published.names.filter(name => name === 'commit:error')).toEqual(['commit:error'])
  })

  it('in a function of the app is told without what it threw', async () => {
    const app = new App()
    const browser = await returning(app)
    const published = listenToAll()
    const failure = new TypeError('secret')
    await browser.run(app, session => expect(session.update(() => {
      throw failure
    })).rejects.toBe(failure))
    expect(String((published.traces[1] as { error?: unknown }).error)).toBe('Error: A function or a hook of the app failed.')
  })
})

describe('the context of a trace', () => {
  it.each([['later', () => new App()], ['at once', appInMemory]])('is that of all that runs in it, and of nothing else, where storage answers %s', async (_, createApp) => {
    const spans = new AsyncLocalStorage<string>()
    for (const operation of ['load', 'commit']) {
      const start = channel(`tracing:unsession:${operation}:start`)
      start.bindStore(spans, () => operation)
      onTestFinished(() => void start.unbindStore(spans))
    }
    const seen: string[] = []
    const note = (where: string): void => void seen.push(`${where}: ${spans.getStore()}`)
    const { store } = createApp()
    const app = new App({}, { ...new App(), store: {
      get(key) {
        note('get')
        return store.get(key)
      },
      set(key, record, ttl) {
        note('set')
        return store.set(key, record, ttl)
      },
      delete: store.delete,
    } } as App)
    const browser = await returning(app)
    seen.length = 0
    await browser.run(app, async (session) => {
      note('handler')
      await session.update({ n: 1 })
      note('handler')
    })
    expect(seen).toEqual(['get: load', 'handler: undefined', 'get: commit', 'set: commit', 'handler: undefined'])
  })
})

describe('whoever listens', () => {
  it('harms no request by throwing: that is an uncaught exception, as everywhere in Node', async () => {
    const app = new App()
    const problems = watchProcess()
    for (const name of NAMES) {
      listen(name, () => {
        throw new Error(name)
      })
    }
    const browser = await returning(app)
    expect(await browser.read(app)).toEqual({ user: 'ada' })
    await expect.poll(() => problems.length).toBe(10)
  })

  it('harms no request by freezing what it is given', async () => {
    const app = new App()
    for (const name of NAMES)
      listen(name, trace => void Object.freeze(trace))
    expect(await (await returning(app)).read(app)).toEqual({ user: 'ada' })
  })

  it('may listen to one moment only', async () => {
    const app = new App()
    const heard: unknown[] = []
    listen('commit:asyncEnd', trace => heard.push(trace))
    await returning(app)
    expect(heard).toEqual([{ mode: 'storage', action: 'create', result: 'written' }])
  })
})

describe('while nobody listens', () => {
  it('nothing is called', () => {
    const tracer = createTracer()!
    expect([tracer.hearsLoads, tracer.hearsCommits, tracer.hearsRejections]).toEqual([false, false, false])
    listen('load:error', () => {})
    expect([tracer.hearsLoads, tracer.hearsCommits, tracer.hearsRejections]).toEqual([true, false, false])
  })

  it('and where there are no channels, there is no tracer', () => {
    const { getBuiltinModule } = process
    onTestFinished(() => void (process.getBuiltinModule = getBuiltinModule))
    process.getBuiltinModule = (() => ({ tracingChannel() { throw new Error('not implemented') } })) as unknown as typeof getBuiltinModule
    expect(createTracer()).toBeUndefined()
    process.getBuiltinModule = undefined as unknown as typeof getBuiltinModule
    expect(createTracer()).toBeUndefined()
  })
})

/** Every text that can be reached from a value, also what is hidden, such as a stack. */
function textsOf(value: unknown, seen = new Set<unknown>()): string[] {
  if (typeof value !== 'object' || value === null)
    return [String(value)]
  if (seen.has(value))
    return []
  seen.add(value)
  return Reflect.ownKeys(value).flatMap(key => [String(key), ...textsOf(Reflect.get(value, key), seen)])
}

const word = fc.string({ unit: fc.constantFrom(...'klmnopqxyz'), minLength: 12, maxLength: 16 })

describe('nothing that is published', () => {
  it('holds an id, a cookie, data, the name of a key or a secret, whatever happens', async () => {
    const acts: Record<string, (session: Session, key: string, value: string, app: App) => unknown> = {
      set: (session, key, value) => session.set(key, value),
      flash: (session, key, value) => session.flash(key, value),
      update: (session, key, value) => session.update({ [key]: value }),
      throwing: (session, key, value) => session.update(() => {
        throw Object.assign(new Error(`${key} ${value}`), { name: key, code: value })
      }),
      invalid: (session, key) => session.update({ [key]: new Date() }),
      large: (session, key, value) => session.update({ [key]: value.repeat(500) }),
      regenerate: (session, key, value) => session.regenerate({ [key]: value }),
      destroy: session => session.destroy(),
      reload: session => session.reload(),
      failing: (session, key, value, app) => {
        for (const operation of ['read', 'write', 'remove'] as const)
          app.driver.fail(operation, Object.assign(new Error(`${session.id} ${key} ${value}`), { path: session.id }))
        session.set(key, value)
      },
      repaired: (_, __, ___, app) => app.driver.repair(),
    }
    const published = listenToAll()
    const step = fc.record({ act: fc.constantFrom(...Object.keys(acts)), key: word, value: word })
    await fc.assert(fc.asyncProperty(fc.constantFrom(...MODES), fc.array(step, { maxLength: 8 }), async ({ options }, steps) => {
      published.traces.length = 0
      const app = new App({ ...options, maxBytes: 4000 })
      const browser = new Browser()
      const private_ = new Set<string>([SECRET])
      for (const { act, key, value } of steps) {
        private_.add(key).add(value)
        const visit = await browser.visit(app).catch(() => undefined)
        if (!visit)
          continue
        private_.add(visit.session.id)
        await Promise.resolve().then(() => acts[act]!(visit.session, key, value, app)).catch(() => {})
        private_.add(visit.session.id)
        await visit.end().catch(() => {})
        for (const token of browser.jar.values())
          private_.add(token).add(token.slice(0, 20))
        for (const stored of await app.keys())
          private_.add(stored.split(':').at(-1)!)
      }
      const texts = textsOf(published.traces).join('\n')
      expect([...private_].filter(text => texts.includes(text))).toEqual([])
    }), { numRuns: 300 })
  })
})
