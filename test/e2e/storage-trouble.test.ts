import type { Visitor } from '../support/browser'
import type { NitroBuild, RunningServer } from '../support/nitro'
import type { RunningRedis } from '../support/redis'
import type { Answer } from '../support/trouble'
import Redis from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { COOKIE } from '../support/browser'
import { buildNitro, startServer, TEST_SECRET } from '../support/nitro'
import { hasRedis, startRedis } from '../support/redis'
import { answered, foreignValues, get, HASTY, idOf, PATIENT, post, PRIVATE, RECOVERY, recordName, useTroubledServers } from '../support/trouble'

const FAILED: Answer = { status: 503, cookies: [] }
const STATIC: Answer = { status: 200, body: { page: 'static' }, cookies: [] }

/** Makes time pass in a moment; see the route `/clock`. */
const MOVABLE_CLOCK = `data:text/javascript,${encodeURIComponent(`
  const { now } = Date
  const elapsed = performance.now.bind(performance)
  globalThis.clock = { ahead: 0 }
  Date.now = () => now() + globalThis.clock.ahead
  performance.now = () => elapsed() + globalThis.clock.ahead
`)}`

describe.runIf(hasRedis())('trouble with Redis', () => {
  let built: NitroBuild
  beforeAll(async () => {
    built = await buildNitro('nitro-trouble', { session: { storage: { driver: 'redis' } } })
  })
  afterAll(() => built?.remove())

  const servers = useTroubledServers()
  const started: { stop(): unknown }[] = []
  afterEach(async () => {
    for (const { stop } of started.splice(0).toReversed())
      await stop()
  })

  async function redisWith(settings?: Parameters<typeof startRedis>[0]): Promise<RunningRedis> {
    const redis = await startRedis(settings)
    started.push(redis)
    return redis
  }

  function clientOf({ url }: RunningRedis): Redis {
    const client = new Redis(url)
    started.push({ stop: () => client.disconnect() })
    return client
  }

  function serverOn(url: string, env: Record<string, string> = {}): Promise<RunningServer> {
    return servers.start(startServer(built.entry, { NITRO_SESSION_STORAGE_URL: url, ...PATIENT, ...env }))
  }

  /** A server that is hasty and connected, and a visitor with a session there, which another server made. */
  async function hastyOn(redis: RunningRedis, data?: Record<string, unknown>): Promise<{ server: RunningServer, visitor: Visitor }> {
    const patient = await servers.signIn(await serverOn(redis.url), data)
    const server = await serverOn(redis.url, HASTY)
    const visitor = servers.copy(patient, server)
    expect(await answered(() => get(visitor, '/data'))).toMatchObject({ status: 200 })
    return { server, visitor }
  }

  describe('not there when the server starts', () => {
    let redis: RunningRedis
    let server: RunningServer
    let visitor: Visitor
    async function startWithoutRedis(): Promise<void> {
      redis = await redisWith({ isLasting: true })
      const earlier = await serverOn(redis.url)
      const before = await servers.signIn(earlier, { visits: 1 })
      await redis.kill()
      server = await serverOn(redis.url, HASTY)
      visitor = servers.copy(before, server)
    }

    it('the server starts, and pages that do not touch the session answer', async () => {
      await startWithoutRedis()
      expect(await get(visitor, '/static')).toEqual(STATIC)
      expect(await get(servers.visitor(server), '/static')).toEqual(STATIC)
    })

    it('a visitor without a cookie may read, since there is nothing to ask storage for', async () => {
      await startWithoutRedis()
      expect(await get(servers.visitor(server), '/data')).toEqual({ status: 200, body: {}, cookies: [] })
    })

    it('what needs the session is a 503, and no cookie changes', async () => {
      await startWithoutRedis()
      expect(await get(visitor, '/data')).toEqual(FAILED)
      expect(await post(visitor, '/set', { visits: 2 })).toEqual(FAILED)
      expect(await post(servers.visitor(server), '/set', { visits: 1 })).toEqual(FAILED)
      expect(await post(servers.visitor(server), '/add')).toEqual(FAILED)
      expect(await post(servers.visitor(server), '/login', { user: 'ada' })).toEqual(FAILED)
    })

    it('the same process serves sessions as soon as it is there', async () => {
      await startWithoutRedis()
      expect(await get(visitor, '/data')).toEqual(FAILED)
      await redis.restart()
      expect(await answered(() => get(visitor, '/data'))).toEqual({ status: 200, body: { private: PRIVATE, visits: 1 }, cookies: [] })
      expect(await answered(() => post(visitor, '/set', { visits: 2 }))).toMatchObject({ status: 200 })
      expect(await answered(() => get(visitor, '/data'))).toMatchObject({ body: { visits: 2 } })
      const newcomer = servers.visitor(server)
      expect(await answered(() => post(newcomer, '/add'))).toMatchObject({ status: 200, body: { visits: 1 }, cookies: [expect.any(String)] })
    })
  })

  describe('what the operator is told', () => {
    /** What was printed of storage so far. */
    const linesOf = (server: RunningServer): string[] => server.output().split('\n').filter(line => line.startsWith('[unsession] The session storage'))

    it('is one line while Redis is not there at the start, one when it is back, and one when it goes away again', async () => {
      const redis = await redisWith()
      await redis.kill()
      const away = (): RegExp => new RegExp(`^\\[unsession\\] The session storage is away: redis at 127\\.0\\.0\\.1:${redis.port} \\(ECONNREFUSED\\)\\. .*503.*no restart is needed\\.$`)
      const back = `[unsession] The session storage is back: redis at 127.0.0.1:${redis.port}.`
      const server = await serverOn(`redis://somebody:a-password@127.0.0.1:${redis.port}`, HASTY)
      await expect.poll(() => linesOf(server), RECOVERY).toEqual([expect.stringMatching(away())])
      const visitor = servers.visitor(server)
      expect(await post(visitor, '/set', { visits: 1 })).toEqual(FAILED)
      expect(await post(servers.visitor(server), '/add')).toEqual(FAILED)
      expect(linesOf(server)).toHaveLength(1)

      await redis.restart()
      const client = clientOf(redis)
      await client.call('ACL', 'SETUSER', 'somebody', 'on', '>a-password', '~*', '+@all')
      // Until it has that user it refuses the password, which is something else to tell.
      await expect.poll(() => linesOf(server), RECOVERY).toContain(back)
      expect(await answered(() => post(visitor, '/set', { visits: 1 }))).toMatchObject({ status: 200 })
      const told = linesOf(server).length

      await redis.kill()
      await expect.poll(() => linesOf(server).slice(told), RECOVERY).toEqual([expect.stringMatching(away())])
      expect(server.output()).not.toMatch(/\[ioredis\]|a-password|somebody/)
    })

    it('is nothing while all is well', async () => {
      const redis = await redisWith()
      const server = await serverOn(redis.url)
      await servers.signIn(server)
      expect(linesOf(server)).toEqual([])
    })

    it('is that it does not answer, and that it does again', async () => {
      const redis = await redisWith()
      const { server } = await hastyOn(redis)
      redis.pause()
      await Promise.all(Array.from({ length: 4 }, () => post(servers.visitor(server), '/add')))
      expect(linesOf(server)).toEqual([expect.stringContaining(`redis at 127.0.0.1:${redis.port} (no answer within 1000 ms)`)])
      redis.resume()
      await answered(() => post(servers.visitor(server), '/add'))
      expect(linesOf(server).slice(1)).toEqual([`[unsession] The session storage is back: redis at 127.0.0.1:${redis.port}.`])
    })

    it('is why, where Redis is there and refuses the password', async () => {
      const redis = await redisWith({ args: ['--requirepass', 'the-right-one'] })
      const server = await serverOn(`redis://:a-wrong-one@127.0.0.1:${redis.port}`, HASTY)
      await expect.poll(() => linesOf(server), RECOVERY).toEqual([expect.stringContaining('(WRONGPASS')])
      expect(await post(servers.visitor(server), '/add')).toEqual(FAILED)
      await expect.poll(() => server.output()).toContain('STORAGE_ERROR')
      expect(server.output()).not.toMatch(/a-wrong-one|\[ioredis\]/)
    })
  })

  describe('killed in the middle, and started again', () => {
    it('everything is a success or a 503, and every acknowledged change is there afterwards', async () => {
      const redis = await redisWith({ isLasting: true })
      const patient = await serverOn(redis.url)
      const both = await Promise.all([serverOn(redis.url, HASTY), serverOn(redis.url, HASTY)])
      const tallies = await Promise.all(Array.from({ length: 6 }, async (_, index) => ({
        visitor: servers.copy(await servers.signIn(patient), both[index % 2]!),
        added: 0,
        statuses: new Set<number>(),
      })))
      const reach = async (isReached: (tally: typeof tallies[number]) => boolean): Promise<void> => {
        await expect.poll(() => tallies.every(isReached), RECOVERY).toBe(true)
      }

      const writing = { isOver: false }
      const loops = tallies.map(async (tally) => {
        while (!writing.isOver) {
          const { status } = await post(tally.visitor, '/add')
          tally.statuses.add(status)
          tally.added += status === 200 ? 1 : 0
        }
      })
      await reach(({ added }) => added >= 20)
      await redis.kill()
      await reach(({ statuses }) => statuses.has(503))
      await redis.restart()
      const before = tallies.map(({ added }) => added)
      await reach(tally => tally.added >= before[tallies.indexOf(tally)]! + 20)
      writing.isOver = true
      await Promise.all(loops)

      for (const { visitor, added, statuses } of tallies) {
        expect([...statuses].sort()).toEqual([200, 503])
        const { body } = await answered(() => get(visitor, '/data'))
        expect((body as { visits: number }).visits).toBeGreaterThanOrEqual(added)
      }
    })

    it('without what it held: its sessions are gone, and new ones work', async () => {
      const redis = await redisWith()
      const { visitor } = await hastyOn(redis, { user: 'ada' })
      await redis.kill()
      await redis.restart()
      expect(await answered(() => get(visitor, '/data'))).toEqual({ status: 200, body: {}, cookies: [] })
      const name = recordName(visitor)
      expect(await answered(() => post(visitor, '/add'))).toMatchObject({ status: 200, body: { visits: 1 }, cookies: [expect.any(String)] })
      expect(recordName(visitor)).not.toBe(name)
      expect(await answered(() => get(visitor, '/data'))).toEqual({ status: 200, body: { visits: 1 }, cookies: [] })
    })

    it('nobody is logged out by it', async () => {
      const redis = await redisWith({ isLasting: true })
      const { visitor } = await hastyOn(redis, { user: 'ada' })
      const cookie = visitor.cookies.get(COOKIE)
      await redis.kill()
      expect(await get(visitor, '/data')).toEqual(FAILED)
      expect(await post(visitor, '/set', { theme: 'dark' })).toEqual(FAILED)
      expect(await post(visitor, '/add')).toEqual(FAILED)
      expect(await post(visitor, '/login', { user: 'bob' })).toEqual(FAILED)
      expect(await get(visitor, '/static')).toEqual(STATIC)
      await redis.restart()
      expect(await answered(() => get(visitor, '/data'))).toMatchObject({ status: 200, body: { user: 'ada' }, cookies: [] })
      expect(visitor.cookies.get(COOKIE)).toBe(cookie)
    })

    it('a new visitor gets no cookie for a session that could not be stored', async () => {
      const redis = await redisWith({ isLasting: true })
      const { server } = await hastyOn(redis)
      await redis.kill()
      const visitor = servers.visitor(server)
      expect(await post(visitor, '/set', { visits: 1 })).toEqual(FAILED)
      expect(await post(visitor, '/add')).toEqual(FAILED)
      expect(await post(visitor, '/login', { user: 'ada' })).toEqual(FAILED)
    })

    it('a logout meanwhile is a 503 that expires the cookie, and a second one ends the session', async () => {
      const redis = await redisWith({ isLasting: true })
      const { server, visitor } = await hastyOn(redis, { user: 'ada' })
      const copy = servers.copy(visitor, server)
      await redis.kill()
      expect(await post(visitor, '/logout')).toEqual({ status: 503, cookies: [expect.stringContaining('Max-Age=0')] })
      await redis.restart()
      expect(await answered(() => post(servers.copy(copy, server), '/logout'))).toMatchObject({ status: 204 })
      expect(await answered(() => get(copy, '/data'))).toEqual({ status: 200, body: {}, cookies: [] })
      expect(await clientOf(redis).exists(recordName(copy))).toBe(0)
    })
  })

  describe.each<[how: string, args: string[], user: string]>([
    ['to the user', ['--user', 'app', 'on', '>a-password', '~*', '+@all', '-@scripting'], 'app:a-password@'],
    ['to everybody, because it has another name', ['--rename-command', 'EVAL', 'another-name'], ''],
    ['what the script calls, to the user', ['--user', 'app', 'on', '>a-password', '~*', '+@all', '-getrange'], 'app:a-password@'],
  ])('refuses the script: %s', (_, args, user) => {
    const onServer = async (): Promise<{ redis: RunningRedis, url: string, server: RunningServer }> => {
      const redis = await redisWith({ args })
      const url = `redis://${user}127.0.0.1:${redis.port}`
      return { redis, url, server: await serverOn(url) }
    }

    it('sessions work, and one process loses nothing', async () => {
      const { redis, server } = await onServer()
      const visitor = await servers.signIn(server)
      await Promise.all(Array.from({ length: 16 }, () => post(servers.copy(visitor, server), '/add')))
      expect(await get(visitor, '/data')).toMatchObject({ status: 200, body: { visits: 16 } })
      const before = servers.copy(visitor, server)
      expect(await post(visitor, '/login', { user: 'ada' })).toMatchObject({ status: 200 })
      expect(await get(before, '/data')).toEqual({ status: 200, body: {}, cookies: [] })
      const copy = servers.copy(visitor, server)
      expect(await post(visitor, '/logout')).toMatchObject({ status: 204 })
      expect(await get(copy, '/data')).toEqual({ status: 200, body: {}, cookies: [] })
      expect(await clientOf(redis).exists(recordName(copy))).toBe(0)
    })

    it('no record is ever half-written, whatever several processes do', async () => {
      const { redis, url, server } = await onServer()
      const others = [server, await serverOn(url)]
      const visitor = await servers.signIn(server)
      const name = recordName(visitor)
      const client = clientOf(redis)
      const writing = Promise.all(Array.from({ length: 40 }, (_, index) => post(servers.copy(visitor, others[index % 2]!), '/set', { [`key${index % 4}`]: 'x'.repeat(10_000) })))
      const texts: string[] = []
      const end = writing.then(() => true)
      while (!await Promise.race([end, client.get(name).then(text => void texts.push(text!))]))
        continue
      expect((await writing).map(({ status }) => status)).toEqual(Array.from({ length: 40 }, () => 200))
      expect(texts.filter(text => JSON.parse(text).data.private !== PRIVATE)).toEqual([])
    })

    it('the operator is told once', async () => {
      const { server } = await onServer()
      const visitor = await servers.signIn(server)
      await post(visitor, '/add')
      await post(servers.visitor(server), '/add')
      const lines = server.output().split('\n').filter(line => line.startsWith('[unsession]'))
      expect(lines).toEqual([expect.stringMatching(/refuses the command EVAL.*several processes.*ACL SETUSER/)])
      expect(server.output()).not.toContain('a-password')
    })
  })

  it('a script that is allowed later runs without a restart', async () => {
    const redis = await redisWith({ args: ['--user', 'app', 'on', '>a-password', '~*', '+@all', '-@scripting'] })
    const server = await serverOn(`redis://app:a-password@127.0.0.1:${redis.port}`, { NODE_OPTIONS: `--import ${MOVABLE_CLOCK}` })
    const visitor = await servers.signIn(server)
    const client = clientOf(redis)
    await post(visitor, '/add')
    await client.call('ACL', 'SETUSER', 'app', '+eval')
    await post(visitor, '/clock', { minutes: 2 })
    expect(await post(visitor, '/add')).toMatchObject({ status: 200 })
    expect(await client.info('commandstats')).toMatch(/cmdstat_eval:calls=1,.*rejected_calls=1,/)
    expect(server.output()).toContain('Redis runs the command EVAL again')
  })

  describe('connected, without an answer', () => {
    it('what needs the session is a 503, and other pages answer', async () => {
      const redis = await redisWith()
      const { server, visitor } = await hastyOn(redis)
      redis.pause()
      expect(await get(visitor, '/data')).toEqual(FAILED)
      expect(await post(visitor, '/set', { visits: 2 })).toEqual(FAILED)
      expect(await post(visitor, '/add')).toEqual(FAILED)
      expect(await post(servers.visitor(server), '/set', { visits: 1 })).toEqual(FAILED)
      expect(await get(visitor, '/static')).toEqual(STATIC)
      expect(await get(servers.visitor(server), '/static')).toEqual(STATIC)
    })

    it('many at once get their answer too', async () => {
      const redis = await redisWith()
      const { server, visitor } = await hastyOn(redis)
      redis.pause()
      const copies = Array.from({ length: 32 }, () => servers.copy(visitor, server))
      expect(await Promise.all(copies.map(copy => post(copy, '/add')))).toEqual(copies.map(() => FAILED))
    })

    it('sessions go on when it answers again', async () => {
      const redis = await redisWith()
      const { visitor } = await hastyOn(redis, { user: 'ada' })
      redis.pause()
      expect(await post(visitor, '/login', { user: 'bob' })).toEqual(FAILED)
      redis.resume()
      expect(await answered(() => get(visitor, '/data'))).toEqual({ status: 200, body: { private: PRIVATE, user: 'ada' }, cookies: [] })
      expect(await answered(() => post(visitor, '/set', { theme: 'dark' }))).toMatchObject({ status: 200 })
      expect(await answered(() => get(visitor, '/data'))).toMatchObject({ body: { theme: 'dark' } })
    })

    it('a logout is a 503 that expires the cookie, and a second one ends the session', async () => {
      const redis = await redisWith()
      const { server, visitor } = await hastyOn(redis, { user: 'ada' })
      const copy = servers.copy(visitor, server)
      redis.pause()
      expect(await post(visitor, '/logout')).toEqual({ status: 503, cookies: [expect.stringContaining('Max-Age=0')] })
      redis.resume()
      expect(await answered(() => post(servers.copy(copy, server), '/logout'))).toMatchObject({ status: 204 })
      expect(await answered(() => get(copy, '/data'))).toEqual({ status: 200, body: {}, cookies: [] })
      expect(await clientOf(redis).exists(recordName(copy))).toBe(0)
    })
  })

  it('slow, yet in time: nothing fails', async () => {
    const redis = await redisWith()
    const server = await serverOn(redis.url)
    const visitor = await servers.signIn(server, { user: 'ada' })
    const client = clientOf(redis)
    await client.call('CLIENT', 'PAUSE', 1000, 'ALL')
    const answers = await Promise.all([get(visitor, '/data'), ...Array.from({ length: 8 }, () => post(servers.copy(visitor, server), '/add'))])
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect(await get(visitor, '/data')).toMatchObject({ body: { user: 'ada', visits: 8 } })
  })

  describe('out of memory', () => {
    async function fullRedis(env?: Record<string, string>): Promise<{ client: Redis, server: RunningServer, visitor: Visitor }> {
      const redis = await redisWith({ args: ['--maxmemory', '6mb', '--maxmemory-policy', 'noeviction'] })
      const server = await serverOn(redis.url, env)
      const visitor = await servers.signIn(server, { user: 'ada' })
      const client = clientOf(redis)
      // One small command that takes more memory than there is.
      await client.setrange('junk', 2 ** 23, 'x')
      await expect(client.set('more', 'x')).rejects.toThrow('OOM')
      return { client, server, visitor }
    }

    it('reading goes on, changes are a 503, and what was stored stays', async () => {
      const { visitor } = await fullRedis()
      expect(await get(visitor, '/data')).toMatchObject({ status: 200, body: { user: 'ada' } })
      expect(await post(visitor, '/set', { theme: 'dark' })).toEqual(FAILED)
      expect(await post(visitor, '/add')).toEqual(FAILED)
      expect(await get(visitor, '/data')).toEqual({ status: 200, body: { private: PRIVATE, user: 'ada' }, cookies: [] })
    })

    it('reading goes on also when the idle time could not be moved forward', async () => {
      const { client, server, visitor } = await fullRedis({ NITRO_SESSION_IDLE_TIMEOUT: '3600', NODE_OPTIONS: `--import ${MOVABLE_CLOCK}` })
      const refused = async (): Promise<number> => Number(/errorstat_OOM:count=(\d+)/.exec(await client.info('errorstats'))![1])
      const before = await refused()
      expect(await get(visitor, '/data')).toMatchObject({ status: 200 })
      expect(await refused()).toBe(before)
      await post(servers.visitor(server), '/clock', { minutes: 40 })
      expect(await get(visitor, '/data')).toEqual({ status: 200, body: { private: PRIVATE, user: 'ada' }, cookies: [] })
      expect(await refused()).toBeGreaterThan(before)
    })

    it('no cookie goes out for a session that could not be stored', async () => {
      const { server } = await fullRedis()
      expect(await post(servers.visitor(server), '/set', { visits: 1 })).toEqual(FAILED)
      expect(await post(servers.visitor(server), '/add')).toEqual(FAILED)
      expect(await post(servers.visitor(server), '/login', { user: 'ada' })).toEqual(FAILED)
    })

    it('a login that could not be stored leaves the visitor as before', async () => {
      const { visitor } = await fullRedis()
      expect(await post(visitor, '/login', { user: 'bob' })).toEqual(FAILED)
      expect(await get(visitor, '/data')).toEqual({ status: 200, body: { private: PRIVATE, user: 'ada' }, cookies: [] })
    })

    it('a logout works', async () => {
      const { server, visitor, client } = await fullRedis()
      const copy = servers.copy(visitor, server)
      expect(await post(visitor, '/logout')).toEqual({ status: 204, body: '', cookies: [expect.stringContaining('Max-Age=0')] })
      expect(await get(copy, '/data')).toEqual({ status: 200, body: {}, cookies: [] })
      expect(await client.exists(recordName(copy))).toBe(0)
    })

    it('changes are stored again when there is room', async () => {
      const { server, visitor, client } = await fullRedis()
      expect(await post(visitor, '/add')).toEqual(FAILED)
      await client.del('junk')
      expect(await post(visitor, '/add')).toMatchObject({ status: 200, body: { user: 'ada', visits: 1 } })
      await servers.signIn(server)
    })

    it('the log names the error of Redis, and holds nothing of the session', async () => {
      const { server, visitor } = await fullRedis()
      expect(await post(visitor, '/set', { theme: 'dark' })).toEqual(FAILED)
      expect(await post(visitor, '/add')).toEqual(FAILED)
      await expect.poll(() => server.output()).toContain('STORAGE_ERROR')
      await expect.poll(() => server.output()).toContain('OOM command not allowed')
      expect(server.output()).not.toContain(PRIVATE)
    })
  })

  it('an error that the app collects names its cause, and holds no secret, cookie or data, however deep one looks', async () => {
    const redis = await redisWith({ args: ['--requirepass', 'the-password', '--maxmemory', '6mb'] })
    const server = await serverOn(redis.url.replace('//', '//:the-password@'))
    const visitor = await servers.signIn(server)
    await clientOf({ ...redis, url: redis.url.replace('//', '//:the-password@') }).setrange('junk', 2 ** 23, 'x')
    expect(await post(visitor, '/set', { theme: 'dark' })).toEqual(FAILED)
    const { body } = await get(servers.visitor(server), '/errors')
    const errors = (body as string[]).join('\n')
    expect(errors).toContain('OOM command not allowed')
    const cookie = visitor.cookies.get(COOKIE)!
    const secrets = { cookie, id: idOf(cookie), secret: TEST_SECRET, password: 'the-password', data: PRIVATE }
    expect(Object.entries(secrets).filter(([, secret]) => errors.includes(secret)).map(([kind]) => kind)).toEqual([])
  })

  describe('that refuses the password', () => {
    const PASSWORD = 'not-the-password-of-this-redis'

    async function lockedOut(): Promise<{ server: RunningServer, visitor: Visitor }> {
      const redis = await redisWith({ args: ['--requirepass', 'the-password'] })
      const welcome = await serverOn(redis.url.replace('//', '//:the-password@'))
      const server = await serverOn(redis.url.replace('//', `//:${PASSWORD}@`))
      return { server, visitor: servers.copy(await servers.signIn(welcome), server) }
    }

    it('what needs the session is a 503, and other pages answer', async () => {
      const { server, visitor } = await lockedOut()
      expect(await get(visitor, '/data')).toEqual(FAILED)
      expect(await post(visitor, '/add')).toEqual(FAILED)
      expect(await post(servers.visitor(server), '/set', { visits: 1 })).toEqual(FAILED)
      expect(await get(visitor, '/static')).toEqual(STATIC)
      expect(await get(servers.visitor(server), '/static')).toEqual(STATIC)
    })

    it('the log names the error of Redis, and holds neither the password nor the data', async () => {
      const { server, visitor } = await lockedOut()
      expect(await get(visitor, '/data')).toEqual(FAILED)
      expect(await post(servers.visitor(server), '/set', { private: PRIVATE })).toEqual(FAILED)
      await expect.poll(() => server.output()).toContain('STORAGE_ERROR')
      await expect.poll(() => server.output()).toMatch(/NOAUTH|WRONGPASS/)
      expect(server.output()).not.toContain(PASSWORD)
      expect(server.output()).not.toContain(PRIVATE)
    })
  })

  describe('that is a read-only replica', () => {
    async function onReplica(): Promise<{ server: RunningServer, visitor: Visitor }> {
      const primary = await redisWith({ args: ['--repl-diskless-sync-delay', '0'] })
      const replica = await redisWith({ args: ['--replicaof', '127.0.0.1', String(primary.port)] })
      const writer = await serverOn(primary.url)
      const server = await serverOn(replica.url)
      const visitor = await servers.signIn(writer, { user: 'ada' })
      const client = clientOf(replica)
      await expect.poll(() => client.exists(recordName(visitor)), RECOVERY).toBe(1)
      return { server, visitor: servers.copy(visitor, server) }
    }

    it('reading goes on, changes are a 503 without a cookie', async () => {
      const { server, visitor } = await onReplica()
      expect(await post(visitor, '/set', { theme: 'dark' })).toEqual(FAILED)
      expect(await post(visitor, '/add')).toEqual(FAILED)
      expect(await post(visitor, '/login', { user: 'bob' })).toEqual(FAILED)
      expect(await post(servers.visitor(server), '/set', { visits: 1 })).toEqual(FAILED)
      expect(await get(visitor, '/data')).toEqual({ status: 200, body: { private: PRIVATE, user: 'ada' }, cookies: [] })
    })

    it('a logout is a 503 that expires the cookie', async () => {
      const { visitor } = await onReplica()
      expect(await post(visitor, '/logout')).toEqual({ status: 503, cookies: [expect.stringContaining('Max-Age=0')] })
    })

    it('the log names the error of Redis, and holds nothing of the session', async () => {
      const { server, visitor } = await onReplica()
      expect(await post(visitor, '/set', { theme: 'dark' })).toEqual(FAILED)
      await expect.poll(() => server.output()).toContain('STORAGE_ERROR')
      await expect.poll(() => server.output()).toContain('READONLY')
      expect(server.output()).not.toContain(PRIVATE)
    })
  })

  describe('values that are no records of this version', () => {
    /** A visitor for every kind of value, with that value in the place of the record. */
    async function overwritten(): Promise<{ client: Redis, server: RunningServer, cases: { kind: string, value: string, visitor: Visitor }[] }> {
      const redis = await redisWith()
      const client = clientOf(redis)
      const server = await serverOn(redis.url)
      const record = await client.get(recordName(await servers.signIn(server)))
      const cases = await Promise.all(foreignValues(record!).map(async ([kind, value]) => {
        const visitor = await servers.signIn(server, { user: 'ada' })
        await client.set(recordName(visitor), value, 'KEEPTTL')
        return { kind, value, visitor }
      }))
      return { client, server, cases }
    }

    it('are no session, without an error and without a word to the browser', async () => {
      const { cases } = await overwritten()
      for (const { kind, visitor } of cases)
        expect(await get(visitor, '/data'), kind).toEqual({ status: 200, body: {}, cookies: [] })
    })

    it('are told to `session:rejected` as corrupt', async () => {
      const { server, cases } = await overwritten()
      for (const { kind, visitor } of cases) {
        await get(visitor, '/data')
        expect((await get(servers.visitor(server), '/rejected')).body, kind).toEqual(['corrupt'])
      }
    })

    it('the next change starts a session of its own and leaves them as they are', async () => {
      const { client, cases } = await overwritten()
      for (const { kind, value, visitor } of cases) {
        const name = recordName(visitor)
        expect(await post(visitor, '/add'), kind).toMatchObject({ status: 200, body: { visits: 1 }, cookies: [expect.any(String)] })
        expect(recordName(visitor), kind).not.toBe(name)
        expect(await get(visitor, '/data'), kind).toEqual({ status: 200, body: { visits: 1 }, cookies: [] })
        expect(await client.get(name), kind).toBe(value)
      }
    })

    it('a value that is overwritten while the server runs is told from the record it was', async () => {
      const redis = await redisWith()
      const client = clientOf(redis)
      const server = await serverOn(redis.url)
      const visitor = await servers.signIn(server, { user: 'ada' })
      const record = await client.get(recordName(visitor))
      await client.set(recordName(visitor), record!.slice(0, -1), 'KEEPTTL')
      expect(await get(visitor, '/data')).toEqual({ status: 200, body: {}, cookies: [] })
      await client.set(recordName(visitor), record!, 'KEEPTTL')
      expect(await get(visitor, '/data')).toMatchObject({ body: { user: 'ada' } })
    })
  })
})
