import type * as Errors from '../../src/core/errors'
import type { Session } from '../../src/core/types'
import type * as Found from '../../src/http/find-sessions'
import type * as Sessions from '../../src/http/event-sessions'
import type * as Utils from '../../src/http/utils'
import type * as Nitro from '../../src/runtime/server/index'
import type * as Core from './support/app'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { App, Browser, Visit } from './support/app'
import { FakeExchange } from './support/exchange'
import { HeldStore } from './support/held-store'

const FILE = import.meta.filename
const LINES = readFileSync(FILE, 'utf8').split('\n')

/** The line of this file where a stack begins, or the frame where it does instead. */
function lineAtTop({ stack = '' }: Error): string {
  const [, frame = ''] = /\n {4}at (.*)/.exec(stack) ?? []
  const [, line] = /stack\.test\.ts:(\d+):\d+\)?$/.exec(frame) ?? []
  return line ? LINES[Number(line) - 1]!.trim() : frame
}

/** The module as a process of its own has it, which remembers where calls were made or does not. */
async function load(isRemembering: boolean): Promise<Loaded> {
  vi.resetModules()
  const { rememberCallers } = await import('../../src/core/calls/caller')
  if (isRemembering)
    rememberCallers()
  return {
    core: await import('./support/app'),
    utils: await import('../../src/http/utils'),
    nitro: await import('../../src/runtime/server/index'),
    sessions: await import('../../src/http/event-sessions'),
    found: await import('../../src/http/find-sessions'),
    errors: await import('../../src/core/errors'),
  }
}

interface Loaded {
  core: typeof Core
  utils: typeof Utils
  nitro: typeof Nitro
  sessions: typeof Sessions
  found: typeof Found
  errors: typeof Errors
}

interface Setting {
  session: Session
  visit: Visit
  app: App
  store: HeldStore
  browser: Browser
}

/** A request of a visitor who was here before, over a storage that can be held and made to fail. */
async function setUp({ core: { App, returning } }: Loaded, mode: 'storage' | 'cookie' = 'storage'): Promise<Setting> {
  const base = new App({ mode })
  const store = new HeldStore(base.store)
  const app = new App({ mode }, { driver: base.driver, clock: base.clock, store })
  const browser = await returning(app)
  const visit = await browser.visit(app)
  return { session: visit.session, visit, app, store, browser }
}

/** Anything, as code without types passes it. */
const any = (value: unknown): never => value as never

/** What goes wrong when it is called, with the code and a part of the line that is to blame. */
type Case = [code: string, line: string, act: (setting: Setting) => unknown]

const SYNC: Case[] = [
  ['INVALID_VALUE', 'session.set(\'at\', new Date())', ({ session }) => session.set('at', new Date())],
  ['INVALID_VALUE', 'session.set(\'deep\'', ({ session }) => session.set('deep', { list: [{ at: new Date() }] })],
  ['INVALID_VALUE', 'session.set(any(1)', ({ session }) => session.set(any(1), 'x')],
  ['INVALID_VALUE', 'session.get(any', ({ session }) => session.get(any(Symbol('x')))],
  ['INVALID_VALUE', 'session.has(any', ({ session }) => session.has(any({}))],
  ['INVALID_VALUE', 'session.delete(any', ({ session }) => session.delete(any(undefined))],
  ['INVALID_VALUE', 'session.flash(', ({ session }) => session.flash('map', any(new Map()))],
  ['INVALID_VALUE', 'session.flash(', ({ session }) => session.flash('nothing', any(undefined))],
  ['INVALID_VALUE', 'session.flash(any', ({ session }) => session.flash(any(undefined))],
  ['INVALID_VALUE', 'session.setLifetime(any', ({ session }) => session.setLifetime(any('7d'))],
  ['INVALID_VALUE', 'session.setLifetime({', ({ session }) => session.setLifetime({ maxAge: -1 })],
  ['COOKIE_ERROR', 'session.setLifetime({ persistent: true })', ({ session, visit }) => {
    visit.exchange.isSent = true
    session.setLifetime({ persistent: true })
  }],
  ['COOKIE_ERROR', 'taken({ maxAge: 60 })', ({ session, visit }) => {
    visit.exchange.isSent = true
    const { setLifetime: taken } = session
    taken({ maxAge: 60 })
  }],
  ['EXPIRED_SESSION', 'session.set(\'expired\'', ({ session, app }) => {
    app.wait(700_000)
    session.set('expired', 1)
  }],
]

const ASYNC: Case[] = [
  ['INVALID_VALUE', 'session.update({ at:', async ({ session }) => await session.update({ at: new Date() })],
  ['INVALID_VALUE', 'session.update({ deep:', async ({ session }) => await session.update({ deep: { list: [new Date()] } })],
  ['INVALID_VALUE', 'session.update(() => ({ at:', async ({ session }) => await session.update(() => ({ at: new Date() }))],
  ['INVALID_VALUE', 'session.update(any(\'x\'))', async ({ session }) => await session.update(any('x'))],
  ['INVALID_VALUE', 'session.update(any(async', async ({ session }) => await session.update(any(async () => ({})))],
  ['INVALID_VALUE', 'session.regenerate({ at:', async ({ session }) => await session.regenerate({ at: new Date() })],
  ['INVALID_VALUE', 'session.regenerate(any(\'x\'))', async ({ session }) => await session.regenerate(any('x'))],
  ['COOKIE_ERROR', 'session.regenerate({ late:', async ({ session, visit }) => {
    visit.exchange.isSent = true
    await session.regenerate({ late: 1 })
  }],
]

const STORAGE: Case[] = [
  ['STORAGE_ERROR', 'session.update({ failing:', async ({ session, store }) => {
    store.fail('compareAndSet')
    await session.update({ failing: 1 })
  }],
  ['STORAGE_ERROR', 'session.save()', async ({ session, store }) => {
    store.fail('compareAndSet')
    session.set('failing', 1)
    await session.save()
  }],
  ['STORAGE_ERROR', 'session.destroy()', async ({ session, store }) => {
    store.fail('compareAndSet')
    await session.destroy()
  }],
  ['STORAGE_ERROR', 'session.reload()', async ({ session, store }) => {
    store.fail('get')
    await session.reload()
  }],
  ['STORAGE_ERROR', 'session.regenerate({ failing:', async ({ session, store }) => {
    store.fail('compareAndSet')
    await session.regenerate({ failing: 1 })
  }],
  ['CONFLICT_ERROR', 'session.update({ beaten:', async ({ session, store }) => {
    store.isAlwaysBeaten = true
    await session.update({ beaten: 1 })
  }],
  ['EXPIRED_SESSION', 'session.update({ ended:', async ({ session, browser, app }) => {
    await browser.clone().run(app, other => other.destroy())
    await session.update({ ended: 1 })
  }],
  ['EXPIRED_SESSION', 'session.reload()', async ({ session, browser, app }) => {
    await browser.clone().run(app, other => other.destroy())
    await session.reload()
  }],
]

/** Callers that hand the promise on, as `defineEventHandler(event => updateSession(event, ...))` does. */
const HANDED_ON: Case[] = [
  ['INVALID_VALUE', 'session.update({ on:', ({ session }) => session.update({ on: new Date() })],
  ['INVALID_VALUE', 'session.update(() => ({ on:', ({ session }) => session.update(() => ({ on: new Date() }))],
  ['STORAGE_ERROR', 'session.update({ failingOn:', ({ session, store }) => {
    store.fail('compareAndSet')
    return session.update({ failingOn: 1 })
  }],
]

/** The error of a case, which the caller awaits there. */
async function errorOf(act: Case[2], setting: Setting): Promise<Error> {
  try {
    await act(setting)
  }
  catch (error) {
    return error as Error
  }
  throw new Error('Nothing was thrown.')
}

/** What the tests look at. */
function sayOf(error: Error): object {
  const { message, stack, code } = error as Errors.SessionError
  return { code, line: lineAtTop(error), isWhole: stack!.startsWith(`SessionError: ${message}\n    at `) }
}

describe.each([{ isRemembering: true }, { isRemembering: false }])('the stack of an error, callers remembered: $isRemembering', ({ isRemembering }) => {
  let loaded: Loaded
  beforeEach(async () => {
    loaded = await load(isRemembering)
  })
  afterEach(() => void vi.restoreAllMocks())

  it.each(SYNC)('%s begins at %s', async (code, line, act) => {
    expect(sayOf(await errorOf(act, await setUp(loaded)))).toEqual({ code, line: expect.stringContaining(line), isWhole: true })
  })

  it.each([...ASYNC, ...STORAGE])('%s begins at %s, which is awaited', async (code, line, act) => {
    expect(sayOf(await errorOf(act, await setUp(loaded)))).toEqual({ code, line: expect.stringContaining(line), isWhole: true })
  })

  it.each(ASYNC)('%s begins at %s, in cookie mode', async (code, line, act) => {
    expect(sayOf(await errorOf(act, await setUp(loaded, 'cookie')))).toEqual({ code, line: expect.stringContaining(line), isWhole: true })
  })

  it.runIf(isRemembering).each(HANDED_ON)('%s begins at %s, which is handed on', async (code, line, act) => {
    expect(sayOf(await errorOf(act, await setUp(loaded)))).toEqual({ code, line: expect.stringContaining(line), isWhole: true })
  })

  it.skipIf(isRemembering)('is that of its making where nobody awaits the call', async () => {
    const { session } = await setUp(loaded)
    const error = await new Promise<Error>(resolve => void session.update({ at: new Date() }).then(undefined, resolve))
    expect(error.stack).toMatch(/^SessionError: .*\n {4}at /)
  })

  it('that a function of the user threw stays as it is', async () => {
    const { session } = await setUp(loaded)
    const { SessionError } = loaded.errors
    const thrower = (): never => {
      throw new SessionError('INVALID_VALUE', 'of the user')
    }
    const nested = (): never => session.set('at', new Date()) as never
    for (const updater of [thrower, nested]) {
      const error = await errorOf(() => session.update(updater), any({}))
      expect(lineAtTop(error)).toBe(updater === thrower ? 'throw new SessionError(\'INVALID_VALUE\', \'of the user\')' : 'const nested = (): never => session.set(\'at\', new Date()) as never')
    }
    const own = new TypeError('of the user')
    const { stack } = own
    await expect(session.update(() => {
      throw own
    })).rejects.toBe(own)
    expect(own.stack).toBe(stack)
  })

  it('begins at the call of a util', async () => {
    const { utils, sessions, found, nitro, core } = loaded
    const app = new core.App()
    const event = (cookieHeader?: string, isCached = false): { context: object } => {
      const made = { context: {} }
      found.setSessions(made, new sessions.EventSessions({ owner: made, cookieHeader: () => cookieHeader, isCached: () => isCached, createExchange: () => new FakeExchange(cookieHeader), manager: () => app.manager }))
      return made
    }
    const browser = await core.returning(app)
    const unloaded = (): { context: object } => event(browser.cookieHeader)
    const calls: [code: string, call: () => unknown][] = [
      ['INVALID_SESSION', () => utils.getSession(unloaded())],
      ['INVALID_SESSION', () => utils.flash(unloaded(), 'a')],
      ['INVALID_SESSION', () => utils.getSession({ context: {} })],
      ['INVALID_SESSION', async () => await utils.updateSession({ context: {} }, { a: 1 })],
      ['INVALID_SESSION', async () => await utils.destroySession({ context: {} })],
      ['INVALID_SESSION', async () => await nitro.useSession({ context: {} })],
      ['INVALID_SESSION', async () => await nitro.requireSession(event())],
      ['INVALID_SESSION', async () => await nitro.requireSession(unloaded(), 'missing')],
      ['FORBIDDEN', async () => await nitro.requireSession(unloaded(), () => false)],
      ['FORBIDDEN', async () => await nitro.requireSession(unloaded(), async () => false)],
      ['INVALID_VALUE', async () => await nitro.requireSession(event(), any(undefined))],
      ['INVALID_VALUE', async () => await nitro.requireSession(unloaded(), any(() => []))],
      ['INVALID_VALUE', async () => await nitro.useSession(any(undefined))],
      ['INVALID_VALUE', () => utils.getSession(any('event'))],
      ['INVALID_VALUE', () => utils.flash(event(), 'a', any(() => {}))],
      ['INVALID_VALUE', async () => await utils.updateSession(event(), any({ a: new Date() }))],
      ['INVALID_VALUE', async () => await utils.regenerateSession(event(), any('x'))],
      ['CONFIG_ERROR', async () => await nitro.useSession(event(), any({ password: 'x'.repeat(32), name: 'h3' }))],
      ['CACHED_RESPONSE', () => utils.getSession(event(undefined, true))],
      ['CACHED_RESPONSE', async () => await utils.updateSession(event(undefined, true), { a: 1 })],
      ['CACHED_RESPONSE', async () => await nitro.useSession(event(undefined, true))],
    ]
    for (const [code, call] of calls) {
      const error = await errorOf(call, any({}))
      expect([(error as Errors.SessionError).code, lineAtTop(error)]).toEqual([code, expect.stringContaining(String(call).includes('utils.') ? 'utils.' : 'nitro.')])
    }
  })

  it('of a load that failed begins at each call that asked', async () => {
    const { nitro, utils, sessions, found, core } = loaded
    const base = new core.App()
    const store = new HeldStore(base.store)
    const app = new core.App({}, { driver: base.driver, clock: base.clock, store })
    const browser = await core.returning(app)
    const event = { context: {} }
    found.setSessions(event, new sessions.EventSessions({ owner: event, cookieHeader: () => browser.cookieHeader, createExchange: () => new FakeExchange(browser.cookieHeader), manager: () => app.manager }))
    store.fail('get')
    const first = await errorOf(async () => await nitro.useSession(event), any({}))
    expect(lineAtTop(first)).toContain('const first =')
    const second = await errorOf(() => utils.getSession(event), any({}))
    expect(lineAtTop(second)).toContain('const second =')
    const third = await errorOf(async () => await utils.updateSession(event, { a: 1 }), any({}))
    expect(lineAtTop(third)).toContain('const third =')
  })
})

describe('an engine without captureStackTrace', () => {
  it('has the errors of ours all the same', async () => {
    vi.resetModules()
    const { captureStackTrace } = Error
    Reflect.deleteProperty(Error, 'captureStackTrace')
    try {
      for (const isRemembering of [true, false]) {
        const setting = await setUp(await load(isRemembering))
        for (const [code, , act] of [...SYNC, ...ASYNC])
          expect(await errorOf(act, isRemembering ? await setUp(await load(true)) : setting), code).toMatchObject({ name: 'SessionError', stack: expect.stringContaining('SessionError: ') })
      }
    }
    finally {
      Error.captureStackTrace = captureStackTrace
    }
  })
})
