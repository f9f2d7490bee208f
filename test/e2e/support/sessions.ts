import type { Visitor } from '../../support/browser'
import type { NitroBuild, RunningServer } from '../../support/nitro'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { COOKIE, createVisitor, setCookiesOf } from '../../support/browser'
import { startServer, WITHOUT_CLEANUP } from '../../support/nitro'

interface Control { counts: { getItem: number, setItem: number, removeItem: number }, keys: string[] }

/**
 * What the fixture of either major version of Nitro does with sessions.
 *
 * @param more tests of the same build
 */
export function itKeepsSessions(build: () => Promise<NitroBuild>, more: (built: () => NitroBuild) => void): void {
  let built: NitroBuild
  beforeAll(async () => {
    built = await build()
  })
  afterAll(() => built?.remove())

  describe.each(['storage', 'cookie'] as const)('%s mode', (mode) => {
    let server: RunningServer
    beforeAll(async () => {
      server = await startServer(built.entry, { NITRO_SESSION_MODE: mode })
    })
    beforeEach(() => createVisitor(server.url).json('/hooks'))
    afterAll(() => server?.stop())

    it('signs in, guards, shows a message once and signs out', async () => {
      const visitor = createVisitor(server.url)
      expect((await visitor.fetch('/guarded')).headers.get('location')).toBe('/login')

      await visitor.fetch('/kind/string')
      const anonymous = visitor.cookies.get(COOKIE)!
      const login = await visitor.post('/login', { user: 'ada' })
      expect(login.status).toBe(303)
      expect(setCookiesOf(login, COOKIE)).toHaveLength(1)
      expect(visitor.cookies.get(COOKIE)).not.toBe(anonymous)

      expect(await visitor.json('/guarded')).toEqual({ user: 'ada' })
      expect(await visitor.json('/visits')).toEqual({ visits: 1 })
      expect(await visitor.json('/flash')).toEqual({ success: 'Welcome ada' })
      expect(await visitor.json('/flash')).toEqual({})

      const logout = await visitor.post('/logout')
      expect(logout.status).toBe(204)
      expect(setCookiesOf(logout, COOKIE)).toEqual([expect.stringContaining('Max-Age=0')])
      expect((await visitor.fetch('/guarded')).status).toBe(303)
    })

    it('the session cookie has the attributes of a production build', async () => {
      const response = await createVisitor(server.url).fetch('/kind/string')
      const [line] = setCookiesOf(response, COOKIE)
      expect(line!.split('; ').slice(1)).toEqual([expect.stringMatching(/^Max-Age=(?:604800|6047\d\d)$/), 'Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax'])
      expect(response.headers.get('cache-control')).toBe('no-store')
    })

    it('a visitor who only reads gets no cookie and no Vary, and calls no hook', async () => {
      const visitor = createVisitor(server.url)
      const response = await visitor.fetch('/visits')
      expect(await response.json()).toEqual({ visits: null })
      expect(response.headers.getSetCookie()).toEqual([])
      expect(await visitor.json('/hooks')).toEqual([])
    })

    it('calls each hook once, in order, with the event and the session', async () => {
      const visitor = createVisitor(server.url)
      await visitor.fetch('/kind/string')
      await visitor.fetch('/visits')
      await visitor.post('/login', { user: 'ada' })
      await visitor.post('/logout')
      const log = await createVisitor(server.url).json('/hooks')
      expect(log).toEqual([
        'created /kind/string visits',
        'saved /kind/string visits',
        'loaded /visits visits',
        'loaded /login visits',
        'saved /login visits+user',
        'regenerated /login visits+user',
        'saved /login visits+user',
        'loaded /logout visits+user',
        'destroyed /logout visits+user',
      ])
    })

    it('tells why a cookie was refused', async () => {
      const visitor = createVisitor(server.url, new Map([[COOKIE, 'nonsense']]))
      expect(await visitor.json('/visits')).toEqual({ visits: null })
      const [entry] = await createVisitor(server.url).json<string[]>('/hooks')
      expect(entry).toMatch(/^rejected (?:malformed|signature)$/)
    })

    it('a second cookie name is a second, independent session', async () => {
      const visitor = createVisitor(server.url)
      await visitor.fetch('/kind/string')
      expect(await (await visitor.post('/cart')).json()).toEqual({ cart: { items: 1 }, session: { visits: 1 } })
      expect(await visitor.json('/cart')).toEqual({ cart: { items: 1 }, session: { visits: 1 } })

      // The token of one is not accepted as the other.
      const swapped = createVisitor(server.url, new Map([[COOKIE, visitor.cookies.get('cart')!], ['cart', visitor.cookies.get(COOKIE)!]]))
      expect(await swapped.json('/cart')).toEqual({ cart: {}, session: null })
    })

    it.each(['/rules/off', '/rules/off-by-object'])('where autoload is off (%s), getSession asks for useSession first', async (path) => {
      const visitor = createVisitor(server.url)
      await visitor.fetch('/kind/string')
      const response = await visitor.fetch(path)
      expect(response.status).toBe(mode === 'storage' ? 401 : 200)
      expect(await visitor.json(`${path}?await`)).toEqual({ visits: 1 })
      expect(await createVisitor(server.url).json(path)).toEqual({ visits: null })
    })

    it.each(['/cached/visits', '/isr/visits'])('a session in the cached handler %s is refused and reaches no cache', async (path) => {
      const alice = createVisitor(server.url)
      await alice.fetch('/kind/string')
      for (const visitor of [alice, createVisitor(server.url)]) {
        const response = await visitor.fetch(path)
        expect(response.status).toBe(500)
        expect(await response.text()).not.toContain('visits":1')
      }
      await expect.poll(() => server.output()).toContain('cached handler')
    })

    it('an answer that Nitro marks for the caches of others leaves without the mark when it used a session', async () => {
      const alice = createVisitor(server.url)
      const of = async (visitor: Visitor): Promise<unknown[]> => {
        const response = await visitor.fetch('/headers-only')
        return [await response.json(), response.headers.get('cache-control'), response.headers.get('vary')]
      }
      expect(await of(alice)).toEqual([{ visits: null }, expect.stringMatching(/^public, max-age=60/), 'Cookie'])
      await alice.fetch('/kind/string')
      expect(await of(alice)).toEqual([{ visits: 1 }, 'no-store', 'Cookie'])
    })

    it('nor does it reach a cache through an internal request of a cached handler', async () => {
      const alice = createVisitor(server.url)
      await alice.fetch('/kind/string')
      for (const visitor of [alice, createVisitor(server.url)])
        expect(await visitor.json('/cached/fetching')).toEqual({ failed: 500 })
    })

    it('opening one cookie with two different sets of options in a request is refused', async () => {
      const response = await createVisitor(server.url).fetch('/twice')
      expect(response.status).toBe(500)
      await expect.poll(() => server.output()).toContain('opened with other options')
    })
  })

  describe('storage mode', () => {
    let server: RunningServer
    beforeAll(async () => {
      server = await startServer(built.entry, WITHOUT_CLEANUP)
    })
    afterAll(() => server?.stop())
    const state = (): Promise<Control> => createVisitor(server.url).json('/control')

    it('a hundred bots leave the storage empty and unasked', async () => {
      const before = await state()
      await Promise.all(Array.from({ length: 100 }, () => createVisitor(server.url).fetch('/visits').then(response => response.text())))
      expect(await state()).toEqual(before)
    })

    it('any number of changes in a request are one write', async () => {
      const visitor = createVisitor(server.url)
      await visitor.post('/many')
      const before = await state()
      await visitor.post('/many')
      expect((await state()).counts.setItem).toBe(before.counts.setItem + 1)
    })

    it('storage holds no usable id', async () => {
      const visitor = createVisitor(server.url)
      await visitor.fetch('/kind/string')
      const id = visitor.cookies.get(COOKIE)!.slice(0, 24)
      const { keys } = await state()
      expect(keys.length).toBeGreaterThan(0)
      expect(keys.join()).not.toContain(id)
    })

    it('after a logout the old cookie is nobody, from any client', async () => {
      const visitor = createVisitor(server.url)
      await visitor.post('/login', { user: 'ada' })
      const stolen = new Map(visitor.cookies)
      await visitor.post('/logout')
      expect((await createVisitor(server.url, stolen).fetch('/guarded')).status).toBe(303)
    })

    it('a cookie planted before the login is not logged in by it', async () => {
      const attacker = createVisitor(server.url)
      await attacker.fetch('/kind/string')
      const victim = createVisitor(server.url, new Map(attacker.cookies))
      await victim.post('/login', { user: 'victim' })
      expect((await victim.fetch('/guarded')).status).toBe(200)
      expect((await attacker.fetch('/guarded')).status).toBe(303)
    })

    it('a login that is sent again, because its answer was lost, works each time', async () => {
      const visitor = createVisitor(server.url)
      await visitor.fetch('/kind/string')
      for (const user of ['ada', 'ada', 'bob']) {
        const again = createVisitor(server.url, new Map(visitor.cookies))
        const response = await again.post('/login', { user })
        expect([response.status, setCookiesOf(response, COOKIE).length]).toEqual([303, 1])
        expect(await again.json('/guarded')).toEqual({ user })
      }
    })

    it('64 parallel updates lose nothing', async () => {
      const visitor = createVisitor(server.url)
      await visitor.post('/update')
      await Promise.all(Array.from({ length: 64 }, () => createVisitor(server.url, new Map(visitor.cookies)).post('/update').then(response => response.text())))
      expect(await visitor.json('/visits')).toEqual({ visits: 65 })
    })

    it('a route that opted out of autoload asks storage for nothing', async () => {
      const visitor = createVisitor(server.url)
      await visitor.fetch('/kind/string')
      const before = await state()
      await visitor.fetch('/rules/off')
      expect((await state()).counts.getItem).toBe(before.counts.getItem)
    })
  })

  it('a session survives the rotation of secrets, and its cookie is signed by the new one', async () => {
    const [oldSecret, newSecret] = ['the old secret, which is long enough', 'the new secret, which is long enough']
    const visitors = new Map<string, string>()
    const first = await startServer(built.entry, { NITRO_SESSION_SECRET: oldSecret, NITRO_SESSION_MODE: 'cookie' })
    await createVisitor(first.url, visitors).fetch('/kind/string')
    await first.stop()

    const second = await startServer(built.entry, { NITRO_SESSION_SECRET: JSON.stringify([newSecret, oldSecret]), NITRO_SESSION_MODE: 'cookie' })
    const read = await createVisitor(second.url, visitors).fetch('/visits')
    expect(await read.json()).toEqual({ visits: 1 })
    expect(setCookiesOf(read, COOKIE)).toHaveLength(1)
    await second.stop()

    const third = await startServer(built.entry, { NITRO_SESSION_SECRET: newSecret, NITRO_SESSION_MODE: 'cookie' })
    expect(await createVisitor(third.url, visitors).json('/visits')).toEqual({ visits: 1 })
    await third.stop()
  })

  it('every scalar option is read from the environment when the server starts', async () => {
    const server = await startServer(built.entry, {
      NITRO_SESSION_MAX_AGE: '3600',
      NITRO_SESSION_COOKIE_NAME: '__Secure-sid',
      NITRO_SESSION_COOKIE_DOMAIN: 'example.com',
      NITRO_SESSION_COOKIE_PATH: '/kind',
      NITRO_SESSION_COOKIE_SAME_SITE: 'none',
      NITRO_SESSION_COOKIE_HTTP_ONLY: 'false',
      NITRO_SESSION_COOKIE_PARTITIONED: 'true',
      NITRO_SESSION_COOKIE_PRIORITY: 'high',
    })
    const response = await createVisitor(server.url).fetch('/kind/string')
    const [line] = setCookiesOf(response, '__Secure-sid')
    expect(line!.split('; ').slice(1)).toEqual([expect.stringMatching(/^Max-Age=(?:3600|35\d\d)$/), 'Domain=example.com', 'Path=/kind', 'Secure', 'SameSite=None', 'Partitioned', 'Priority=High'])
    await server.stop()
  })

  more(() => built)
}
