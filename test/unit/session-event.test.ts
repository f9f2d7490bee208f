import type { SessionEventOptions } from '../../src/test'
import * as v1 from 'h3'
import * as v2 from 'h3-v2'
import { describe, expect, it } from 'vitest'
import * as plain from '../../src/h3'
import * as server from '../../src/runtime/server/index'
import { createSessionEvent, mountSession, sessionOf } from '../../src/test'

const SECRET = 'a secret of the tests, not of anybody else'
const MAJORS = [{ major: 'h3 v1', h3: v1 }, { major: 'h3 v2', h3: v2 }]
const EVENTS = MAJORS.flatMap(each => (['storage', 'cookie'] as const).map(mode => ({ ...each, mode })))

describe.each(EVENTS)('an event for a unit test, of $major in $mode mode', ({ h3, mode }) => {
  // One type for both majors.
  const create = async (options: SessionEventOptions): Promise<v1.H3Event> =>
    await createSessionEvent({ ...options, h3, options: { mode, ...options.options } })

  it('has the session, for the utils of both kinds of app', async () => {
    const event = await create({ data: { user: 'ada' }, flash: { success: 'Hi' } })
    expect(server.getSession(event)).toEqual({ user: 'ada' })
    expect(plain.getSession(event)).toEqual({ user: 'ada' })
    expect((await server.useSession(event)).get('user')).toBe('ada')
    expect((await plain.useSession(event)).isNew).toBe(false)
    expect(server.flash(event, 'success')).toBe('Hi')
    expect(sessionOf(event)).toEqual({ data: { user: 'ada' }, flash: {} })
  })

  it('tells what a handler left', async () => {
    const event = await create({ data: { visits: 1, theme: 'dark' } })
    await server.updateSession(event, data => ({ visits: Number(data.visits) + 1 }))
    expect(sessionOf(event)).toEqual({ data: { visits: 2, theme: 'dark' }, flash: {} })
    await server.regenerateSession(event, { user: 'ada' }, { keep: ['visits'] })
    server.flash(event, 'success', 'Welcome')
    const session = await server.useSession(event)
    session.set('unsaved', true)
    expect(sessionOf(event)).toEqual({ data: { visits: 2, user: 'ada', unsaved: true }, flash: { success: 'Welcome' } })
    await server.destroySession(event)
    expect(sessionOf(event)).toBeNull()
  })

  it('is one of a stranger without data', async () => {
    const event = await create({})
    expect([server.getSession(event), sessionOf(event)]).toEqual([null, null])
    await server.updateSession(event, { visits: 1 })
    expect(sessionOf(event)).toEqual({ data: { visits: 1 }, flash: {} })
  })

  it('takes a second session, and options of the app', async () => {
    const event = await create({ data: { userId: 1, admin: true }, options: { userKey: 'userId' } })
    const cart = await server.useSession(event, { cookie: { name: 'cart' } })
    cart.set('items', 1)
    await server.regenerateSession(event, { userId: 2 })
    expect(sessionOf(event)).toEqual({ data: { userId: 2 }, flash: {} })
  })
})

describe.each(MAJORS)('the request of an event for a unit test, of $major', ({ h3 }) => {
  const { readBody, getQuery, getRequestHeader, getRouterParam } = h3 as typeof v1
  const create = async (options: SessionEventOptions): Promise<v1.H3Event> => await createSessionEvent({ ...options, h3 })

  it('has what the test gives', async () => {
    const event = await create({
      method: 'PUT',
      path: '/api/cart?page=2',
      headers: { 'accept-language': 'fr', 'cookie': 'theme=dark' },
      params: { id: '7' },
      body: { items: [1] },
      data: { user: 'ada' },
    })
    expect([getQuery(event), getRequestHeader(event, 'accept-language'), getRouterParam(event, 'id')]).toEqual([{ page: '2' }, 'fr', '7'])
    expect(await readBody(event)).toEqual({ items: [1] })
    expect((h3 as typeof v1).getCookie(event, 'theme')).toBe('dark')
    expect(server.getSession(event)).toEqual({ user: 'ada' })
  })

  it('is a GET of the root by default, and a POST where there is a body', async () => {
    const methodOf = async (options: SessionEventOptions): Promise<string> => {
      const event = await create(options) as v1.H3Event & { req?: { method: string } }
      return event.method ?? event.req!.method
    }
    expect(await methodOf({})).toBe('GET')
    expect(await methodOf({ body: 'name=Ada' })).toBe('POST')
  })

  it('has a body of text, a form or bytes', async () => {
    expect(await readBody(await create({ headers: { 'content-type': 'application/json' }, body: '{"items":[1]}' }))).toEqual({ items: [1] })
    const form = await create({ body: new URLSearchParams({ name: 'Ada' }) })
    expect({ ...await readBody<object>(form) }).toEqual({ name: 'Ada' })
  })
})

describe('an event for a unit test', () => {
  it('takes the h3 that the app has', async () => {
    const event = await createSessionEvent({ data: { user: 'ada' } })
    expect(v1.isEvent(event)).toBe(true)
    expect(server.getSession(event)).toEqual({ user: 'ada' })
  })

  it('calls a handler that configures sessions itself, with the options of the app', async () => {
    const options = { mode: 'cookie' as const, secret: SECRET }
    const handler = v1.defineEventHandler(async event => (await plain.useSession(event, options)).get('user'))
    expect(await handler(await createSessionEvent({ data: { user: 'ada' }, options }))).toBe('ada')
  })

  it('refuses what no session can keep, and options that are not valid', async () => {
    await expect(createSessionEvent({ data: { at: new Date() } })).rejects.toMatchObject({ code: 'INVALID_VALUE', message: expect.stringContaining('at') })
    await expect(createSessionEvent({ flash: { success: () => {} } })).rejects.toMatchObject({ code: 'INVALID_VALUE' })
    await expect(createSessionEvent({ options: { maxage: 5 } as never })).rejects.toMatchObject({ code: 'CONFIG_ERROR' })
  })

  it('is told apart from others', () => {
    expect(() => sessionOf({ context: {} })).toThrow(expect.objectContaining({ code: 'INVALID_SESSION', message: expect.stringContaining('createSessionEvent') }))
  })
})

describe('an event that a test wrote by hand', () => {
  const headers = new Headers()
  const EVENTS: object[] = [
    {},
    { context: {} },
    { context: {}, node: { req: {}, res: {} } },
    { context: {}, node: { req: { headers: {} } } },
    { context: {}, node: { req: { headers: {} }, res: {} } },
    { context: {}, headers, node: { req: { method: 'GET' } } },
    { context: {}, req: { headers: {} } },
    { context: {}, req: { headers }, res: { headers } },
    { context: {}, req: { headers, url: 'http://localhost/' } },
  ]
  const options = { mode: 'cookie' as const, secret: SECRET }

  it.each(EVENTS.map(event => [event]))('is refused with what to write instead: %j', async (event) => {
    const wanted = { name: 'SessionError', message: expect.stringMatching(/createSessionEvent|takes the event of the handler/) }
    await expect(plain.useSession(event as never, options)).rejects.toMatchObject(wanted)
    await expect(plain.sessionMiddleware(options)(event as never)).rejects.toMatchObject(wanted)
    await expect(server.useSession(event as never)).rejects.toMatchObject(wanted)
    expect(() => server.getSession(event as never)).toThrow(expect.objectContaining(wanted))
  })
})

it('mountSession outside of a component test says what it is for', async () => {
  await expect(mountSession({ user: 'ada' })).rejects.toMatchObject({ code: 'CONFIG_ERROR', message: expect.stringContaining('environment `nuxt`') })
})
