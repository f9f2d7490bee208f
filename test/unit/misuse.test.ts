import type { SessionEvent } from '../../src/adapters/event'
import type { Session } from '../../src/core/types'
import { describe, expect, it } from 'vitest'
import { EventSessions } from '../../src/http/event-sessions'
import { setSessions } from '../../src/http/find-sessions'
import * as h3 from '../../src/h3'
import * as nitro from '../../src/runtime/server/index'
import { App, returning, SECRET } from './support/app'
import { caught } from './support/errors'
import { FakeExchange } from './support/exchange'

/** Anything, as code without types passes it. */
const any = (value: unknown): never => value as never

const PASSWORD = 'a password of h3, which has 32 characters or more'
const CONFIG = { password: PASSWORD, name: 'h3', maxAge: 60, cookie: { path: '/' } }

class Point {
  x = 1
}

/** What is no event. */
const NO_EVENTS: [what: string, value: unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['a string', 'event'],
  ['a number', 1],
  ['a function', () => {}],
  ['a boolean', true],
  ['a symbol', Symbol('event')],
  ['an array', []],
  ['an object', {}],
  ['an object', { context: undefined }],
  ['an object', { context: 'text' }],
  ['an instance of a class', new Request('http://localhost/')],
  ['an instance of a class', new Headers()],
  ['a promise', Promise.resolve({})],
]

/** A handle of a visitor who was here before. */
async function handle(): Promise<{ session: Session, app: App, end(): Promise<void> }> {
  const app = new App()
  const visit = await (await returning(app)).visit(app)
  return { session: visit.session, app, end: () => visit.end() }
}

describe('a session is misused by', () => {
  it.each<[call: string, remedy: string, act: (session: Session) => unknown]>([
    ['session.set({ a: 1 })', 'await session.update({ key: value })', session => session.set(any({ a: 1 }), any(undefined))],
    ['session.set({ a: 1 }), with nothing else', 'session.update({ key: value })', session => (session.set as (key: unknown) => void)({ a: 1 })],
    ['session.set(\'a\')', 'session.delete(key)', session => (session.set as (key: unknown) => void)('a')],
    ['session.set()', 'await session.update({ key: value })', session => (session.set as () => void)()],
    ['session.set(1, 2)', 'await session.update({ key: value })', session => session.set(any(1), 2)],
    ['session.set(symbol, 2)', 'await session.update({ key: value })', session => session.set(any(Symbol('a')), 2)],
    ['session.set(null, 2)', 'await session.update({ key: value })', session => session.set(any(null), 2)],
    ['session.set(array, 2)', 'await session.update({ key: value })', session => session.set(any(['a']), 2)],
    ['session.get()', 'session.get(\'key\')', session => (session.get as () => unknown)()],
    ['session.get(1)', 'session.get(\'key\')', session => session.get(any(1))],
    ['session.get(object)', 'session.get(\'key\')', session => session.get(any({}))],
    ['session.has(symbol)', 'session.has(\'key\')', session => session.has(any(Symbol('a')))],
    ['session.delete()', 'session.delete(\'key\')', session => (session.delete as () => void)()],
    ['session.delete(1)', 'session.delete(\'key\')', session => session.delete(any(1))],
    ['session.flash()', 'session.flash(\'key\')', session => (session.flash as () => unknown)()],
    ['session.flash(1)', 'session.flash(\'key\')', session => session.flash(any(1))],
    ['session.flash({}, \'Saved\')', 'session.', session => session.flash(any({}), 'Saved')],
    ['session.setLifetime()', 'session.setLifetime({ maxAge: 3600 })', session => (session.setLifetime as () => void)()],
    ['session.setLifetime(\'7d\')', 'session.setLifetime({ maxAge: 3600 })', session => session.setLifetime(any('7d'))],
    ['session.setLifetime(60)', 'session.setLifetime({ maxAge: 3600 })', session => session.setLifetime(any(60))],
    ['session.setLifetime(array)', 'session.setLifetime({ maxAge: 3600 })', session => session.setLifetime(any([60]))],
    ['session.setLifetime({ maxage: 60 })', 'Did you mean `maxAge`?', session => session.setLifetime(any({ maxage: 60 }))],
    ['session.setLifetime({ ttl: 60 })', 'Use `maxAge`, in seconds.', session => session.setLifetime(any({ ttl: 60 }))],
    ['session.update()', 'await session.update({ key: value })', session => (session.update as () => unknown)()],
    ['session.update(\'x\')', 'await session.update({ key: value })', session => session.update(any('x'))],
    ['session.update(null)', 'await session.update({ key: value })', session => session.update(any(null))],
    ['session.update(array)', 'await session.update({ key: value })', session => session.update(any([1]))],
    ['session.update(map)', 'await session.update({ key: value })', session => session.update(any(new Map([['a', 1]])))],
    ['session.update(point)', 'await session.update({ key: value })', session => session.update(any(new Point()))],
    ['session.update(promise)', 'a promise, which must be awaited before', session => session.update(any(Promise.resolve({ a: 1 })))],
    ['session.update(rejected)', 'a promise, which must be awaited before', session => session.update(any(Promise.reject(new Error('x'))))],
    ['session.update(config, patch)', 'await session.update(patch)', session => (session.update as (...args: unknown[]) => unknown)(CONFIG, { a: 1 })],
    ['session.update(\'key\', value)', 'await session.update({ key: value })', session => (session.update as (...args: unknown[]) => unknown)('a', 1)],
    ['session.regenerate(\'x\')', 'await session.regenerate({ key: value })', session => session.regenerate(any('x'))],
    ['session.regenerate(function)', 'await session.regenerate({ key: value })', session => session.regenerate(any(() => ({})))],
    ['session.regenerate(array)', 'await session.regenerate({ key: value })', session => session.regenerate(any([]))],
    ['session.regenerate(promise)', 'a promise, which must be awaited before', session => session.regenerate(any(Promise.resolve({})))],
  ])('%s: write %s', async (_, remedy, act) => {
    const { session, app, end } = await handle()
    const before = { ...session.data }
    const error = await caught(() => act(session))
    expect(error.code).toBe('INVALID_VALUE')
    expect(error.message).toContain('session.')
    expect(error.message).toContain(remedy)
    expect(error.message).not.toContain(PASSWORD)
    expect(session.data).toEqual(before)
    await end()
    expect((await app.records())[0]?.data).toEqual(before)
  })

  it.each<[string, (session: Session) => Promise<unknown>]>([
    ['update', session => session.update(any(1))],
    ['regenerate', session => session.regenerate(any(1))],
  ])('what rejects, and never throws: %s', async (_, act) => {
    const { session } = await handle()
    let promise: Promise<unknown> | undefined
    expect(() => promise = act(session)).not.toThrow()
    await expect(promise).rejects.toMatchObject({ code: 'INVALID_VALUE' })
  })

  it('no empty key and no undefined that is given', async () => {
    const { session } = await handle()
    session.set('', 'empty')
    session.set('user', undefined)
    session.flash('', 'message')
    expect([session.get(''), session.has(''), session.has('user'), session.flash('')]).toEqual(['empty', true, false, 'message'])
    session.delete('')
    expect(session.has('')).toBe(false)
    session.setLifetime({ maxAge: 60, idleTimeout: undefined })
    await session.regenerate(undefined)
    await session.update(Object.assign(Object.create(null), { a: 1 }))
    expect(session.get('a')).toBe(1)
  })
})

interface Utils {
  name: string
  useSession(...args: unknown[]): Promise<unknown>
  getSession(...args: unknown[]): unknown
  requireSession(...args: unknown[]): Promise<unknown>
  updateSession(...args: unknown[]): Promise<unknown>
  regenerateSession(...args: unknown[]): Promise<unknown>
  destroySession(...args: unknown[]): Promise<unknown>
  clearSession(...args: unknown[]): Promise<unknown>
  flash(...args: unknown[]): unknown
}

const UTILS = [{ name: 'unsession/server', ...nitro }, { name: 'unsession/h3', ...h3 }] as unknown as Utils[]

describe.each(UTILS)('the utils of $name', (utils) => {
  /** An event of a visitor who was here before, loaded, with what storage holds in the end. */
  async function createEvent(): Promise<{ event: SessionEvent, stored(): Promise<unknown> }> {
    const app = new App()
    const browser = await returning(app)
    const exchange = new FakeExchange(browser.cookieHeader)
    const event = { context: {}, node: { req: { headers: {} }, res: {} } }
    const sessions = new EventSessions({ owner: event, cookieHeader: () => browser.cookieHeader, createExchange: () => exchange, manager: () => app.manager })
    setSessions(event, sessions)
    await sessions.load(event)
    return {
      event,
      async stored() {
        await sessions.flush()
        return (await app.records()).map(({ data }) => data)
      },
    }
  }

  const CALLS: [name: string, line: string, call: (event: unknown) => unknown][] = [
    ['useSession', 'useSession(event)', event => utils.useSession(event)],
    ['getSession', 'getSession(event)', event => utils.getSession(event)],
    ['requireSession', 'requireSession(event, \'userId\')', event => utils.requireSession(event, 'user')],
    ['updateSession', 'updateSession(event, patch)', event => utils.updateSession(event, { a: 1 })],
    ['regenerateSession', 'regenerateSession(event, patch)', event => utils.regenerateSession(event, { a: 1 })],
    ['destroySession', 'destroySession(event)', event => utils.destroySession(event)],
    ['clearSession', 'destroySession(event)', event => utils.clearSession(event)],
    ['flash', 'flash(event, key)', event => utils.flash(event, 'a')],
    ['flash', 'flash(event, key, value)', event => utils.flash(event, 'a', 'b')],
  ]

  it.each(CALLS)('%s asks for the event in its place: %s', async (_, line, call) => {
    for (const [what, value] of NO_EVENTS) {
      const error = await caught(() => call(value))
      expect([what, error.code, error.message]).toEqual([what, 'INVALID_VALUE', expect.stringContaining(`${line}\``)])
      expect(error.message).toContain(`got ${what}`)
    }
  })

  it.each(CALLS.filter(([name]) => !['getSession', 'flash'].includes(name)))('%s rejects, and never throws', async (_, __, call) => {
    let promise: unknown
    expect(() => promise = call(undefined)).not.toThrow()
    await expect(promise).rejects.toMatchObject({ code: 'INVALID_VALUE' })
  })

  it('say what is missing where the event has no sessions', async () => {
    // In `unsession/h3` these three have nothing to do there.
    const isSafe = (name: string): boolean => utils.name === 'unsession/h3' && ['getSession', 'destroySession', 'clearSession'].includes(name)
    for (const [, , call] of CALLS.filter(([name]) => !isSafe(name)))
      expect(await caught(() => call({ context: {} }))).toMatchObject({ code: 'INVALID_SESSION', message: expect.stringContaining('modules: [\'unsession\']') })
  })

  it.each<[call: string, line: string, act: (event: unknown) => unknown]>([
    ['useSession(event, config)', 'await useSession(event)', event => utils.useSession(event, CONFIG)],
    ['useSession(event, { password })', 'await useSession(event)', event => utils.useSession(event, { password: PASSWORD })],
    ['useSession(event, { passwords })', 'await useSession(event)', event => utils.useSession(event, { password: { 1: PASSWORD } })],
    ['getSession(event, config)', 'getSession(event)', event => utils.getSession(event, CONFIG)],
    ['updateSession(event, config, update)', 'await updateSession(event, patch)', event => utils.updateSession(event, CONFIG, { a: 1 })],
    ['updateSession(event, config, function)', 'await updateSession(event, patch)', event => utils.updateSession(event, CONFIG, () => ({ a: 1 }))],
    ['updateSession(event, { password }, update)', 'await updateSession(event, patch)', event => utils.updateSession(event, { password: 'short' }, { a: 1 })],
    ['updateSession(event, config)', 'await updateSession(event, patch)', event => utils.updateSession(event, CONFIG)],
    ['updateSession(event, { password, seal })', 'await updateSession(event, patch)', event => utils.updateSession(event, { password: { 1: PASSWORD }, seal: {} })],
    ['clearSession(event, config)', 'await destroySession(event)', event => utils.clearSession(event, CONFIG)],
    ['destroySession(event, config)', 'await destroySession(event)', event => utils.destroySession(event, CONFIG)],
  ])('%s of h3 is refused: write %s', async (_, line, act) => {
    const { event, stored } = await createEvent()
    const error = await caught(() => act(event))
    expect(error.code).toBe('CONFIG_ERROR')
    expect(error.message).toContain(`write \`${line}\``)
    expect([error.message, error.stack, JSON.stringify(error.details)].join(' ')).not.toContain(PASSWORD)
    expect(await stored()).toEqual([{ user: 'ada' }])
  })

  it.each<[call: string, line: string, act: (event: unknown) => unknown]>([
    ['useSession(event, text)', 'await useSession(event, { cookie: { name: \'cart\' } })', event => utils.useSession(event, 'cart')],
    ['useSession(event, array)', 'await useSession(event, { cookie: { name: \'cart\' } })', event => utils.useSession(event, ['cart'])],
    ['useSession(event, function)', 'await useSession(event, { cookie: { name: \'cart\' } })', event => utils.useSession(event, () => ({}))],
    ['getSession(event, options)', 'getSession(event)', event => utils.getSession(event, { cookie: { name: 'cart' } })],
    ['getSession(event, key)', 'getSession(event)', event => utils.getSession(event, 'user')],
    ['updateSession(event)', 'updateSession(event, { key: value })', event => utils.updateSession(event)],
    ['updateSession(event, text)', 'updateSession(event, { key: value })', event => utils.updateSession(event, 'user')],
    ['updateSession(event, key, value)', 'updateSession(event, patch)', event => utils.updateSession(event, 'user', 'bob')],
    ['updateSession(event, patch, more)', 'updateSession(event, patch)', event => utils.updateSession(event, { a: 1 }, { b: 2 })],
    ['updateSession(event, promise)', 'a promise, which must be awaited before', event => utils.updateSession(event, Promise.resolve({ a: 1 }))],
    ['regenerateSession(event, text)', 'regenerateSession(event, { key: value })', event => utils.regenerateSession(event, 'x')],
    ['regenerateSession(event, function)', 'regenerateSession(event, { key: value })', event => utils.regenerateSession(event, () => ({}))],
    ['destroySession(event, true)', 'destroySession(event)', event => utils.destroySession(event, true)],
    ['flash(event)', 'flash(event, \'key\')', event => utils.flash(event)],
    ['flash(event, 1, text)', 'flash(event, \'key\', value)', event => utils.flash(event, 1, 'x')],
    ['flash(key, text)', 'flash(event, key)', () => utils.flash('success', 'Saved')],
  ])('%s is refused: write %s', async (_, line, act) => {
    const { event, stored } = await createEvent()
    const error = await caught(() => act(event))
    expect(error.code).toBe('INVALID_VALUE')
    expect(error.message).toContain(line)
    expect(await stored()).toEqual([{ user: 'ada' }])
  })

  it('keep what only looks like options of h3', async () => {
    const { event, stored } = await createEvent()
    await utils.updateSession(event, { password: 'short', name: 'ada' })
    await utils.updateSession(event, { password: PASSWORD, role: 'admin' })
    await utils.updateSession(event, { name: 'Ada', cookie: 'oats' })
    expect(await stored()).toEqual([{ user: 'ada', password: PASSWORD, name: 'Ada', role: 'admin', cookie: 'oats' }])
  })

  it('take undefined for an argument that is not given', async () => {
    const { event } = await createEvent()
    expect(utils.getSession(event, undefined)).toEqual({ user: 'ada' })
    await expect(utils.useSession(event, undefined)).resolves.toMatchObject({ isNew: false })
    await expect(utils.updateSession(event, { a: 1 }, undefined)).resolves.toEqual({ user: 'ada', a: 1 })
    await expect(utils.regenerateSession(event, undefined)).resolves.toBeUndefined()
    await expect(utils.destroySession(event, undefined)).resolves.toBeUndefined()
  })
})

describe('options that are wrong in a call of unsession/h3', () => {
  it.each<[options: object, lines: string[]]>([
    [{ nme: 'x', maxage: 5 }, ['nme: There is no such option. Did you mean `cookie.name`?', 'maxage: There is no such option. Did you mean `maxAge`?']],
    [{ cookie: { nme: 'x' } }, ['cookie.nme: There is no such option. Did you mean `cookie.name`?']],
    [{ cookie: 'cart' }, ['cookie: "cart" is not allowed. Use an object of attributes.']],
    [{ storage: 'redis' }, ['storage: There is no such option. Use `store`.']],
    [{ maxAge: '7d', ttl: 5 }, ['ttl: There is no such option. Use `maxAge`, in seconds.', 'maxAge: "7d" is not allowed.']],
  ])('%j are refused together, and the call is named', async (options, lines) => {
    const event = { context: {}, node: { req: { headers: {} }, res: { setHeader() {} } } }
    const middleware = h3.sessionMiddleware({ secret: SECRET, mode: 'cookie' })
    await middleware(event)
    const error = await caught(() => h3.useSession(event, options as never))
    expect([error.code, error.message.split('\n')[0]]).toEqual(['CONFIG_ERROR', 'unsession: the options of `useSession(event, options)` are not valid.'])
    for (const line of lines)
      expect(error.message).toContain(`- ${line}`)
  })

  it.each([undefined, null, 'secret', 5])('sessionMiddleware(%j) asks for an object', (options) => {
    expect(() => h3.sessionMiddleware(any(options))).toThrow(expect.objectContaining({ code: 'CONFIG_ERROR' }))
  })
})
