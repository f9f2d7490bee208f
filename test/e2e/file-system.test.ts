import type { Visitor } from '../support/browser'
import type { NitroBuild, RunningServer } from '../support/nitro'
import type { Answer } from '../support/trouble'
import type { RecordFolder } from '../support/trouble-folder'
import type { NitroConfig } from 'nitropack/types'
import { execFileSync } from 'node:child_process'
import { constants, open, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { buildNitro } from '../support/nitro'
import { answered, foreignValues, get, HASTY, killGroup, post, PRIVATE, RECOVERY, recordName, useTroubledServers } from '../support/trouble'
import { canMount, createRecordFolder, mountSmall, unmount } from '../support/trouble-folder'

const FAILED: Answer = { status: 503, cookies: [] }
const STATIC: Answer = { status: 200, body: { page: 'static' }, cookies: [] }
const EXPIRED = [expect.stringContaining('Max-Age=0')]

const isMounting = await canMount()

const drivers: [name: string, config: NitroConfig][] = [
  ['fs-lite, which the module mounts by itself', {}],
  ['fs, given as an object', { session: { storage: { driver: 'fs', base: '' } } }],
]

/** What the operator was told. */
function linesOf(server: RunningServer): string[] {
  return server.output().split('\n').filter(line => line.startsWith('[unsession]'))
}

/** A record of about 100 kB, of which every part tells the round it was written in. Few and long parts: what is tried is the writing, not the checking of values. */
function big(round: number): { round: number, parts: string[] } {
  return { round, parts: Array.from({ length: 50 }, () => String(100_000 + round).repeat(350)) }
}

describe.each(drivers)('records in files: %s', (_, config) => {
  let built: NitroBuild
  let folder: RecordFolder
  beforeAll(async () => {
    built = await buildNitro('nitro-trouble', config)
  })
  afterAll(() => built?.remove())

  beforeEach(async () => {
    folder = await createRecordFolder(built.outputDir)
  })
  afterEach(() => folder.remove())
  // Hooks after a test run in reverse: the servers end before their folder goes.
  const servers = useTroubledServers()

  const serverHere = (settings?: Parameters<RecordFolder['start']>[0]): Promise<RunningServer> => servers.start(folder.start(settings))
  const pathOf = (visitor: Visitor): string => join(folder.records, recordName(visitor))

  async function setLockTimes(time: number): Promise<void> {
    const locks = (await folder.files()).filter(name => name.endsWith('.lock'))
    await Promise.all(locks.map(name => utimes(join(folder.records, name), new Date(time), new Date(time)).catch(() => {})))
  }

  it('there is one file for each session, and none afterwards', async () => {
    const server = await serverHere()
    const visitors = await Promise.all(Array.from({ length: 5 }, () => servers.signIn(server)))
    await Promise.all(visitors.map(visitor => post(visitor, '/login', { user: 'ada' })))
    const names = visitors.map(visitor => recordName(visitor))
    expect(await folder.files()).toEqual(expect.arrayContaining(names))
    await Promise.all(visitors.map(visitor => post(visitor, '/logout')))
    const files = await folder.files()
    expect(names.filter(name => files.includes(name))).toEqual([])
  })

  it('nobody else can list them', async () => {
    await servers.signIn(await serverHere())
    expect((await stat(folder.records)).mode & 0o777).toBe(0o700)
  })

  describe('in a folder that may only be read', () => {
    let server: RunningServer
    let visitor: Visitor
    beforeEach(async () => {
      server = await serverHere()
      visitor = await servers.signIn(server, { user: 'ada' })
      await folder.setWritable(false)
    })

    it('reading goes on', async () => {
      expect(await get(visitor, '/data')).toEqual({ status: 200, body: { private: PRIVATE, user: 'ada' }, cookies: [] })
      expect(await get(visitor, '/static')).toEqual(STATIC)
    })

    it('changes are a 503 without a cookie, and what was stored stays', async () => {
      expect(await post(visitor, '/set', { theme: 'dark' })).toEqual(FAILED)
      expect(await post(visitor, '/add')).toEqual(FAILED)
      expect(await post(visitor, '/login', { user: 'bob' })).toEqual(FAILED)
      expect(await post(servers.visitor(server), '/set', { visits: 1 })).toEqual(FAILED)
      expect(await get(visitor, '/data')).toEqual({ status: 200, body: { private: PRIVATE, user: 'ada' }, cookies: [] })
    })

    it('a logout is a 503 that expires the cookie', async () => {
      expect(await post(visitor, '/logout')).toEqual({ status: 503, cookies: EXPIRED })
    })

    it('the log names the error of the file system', async () => {
      expect(await post(visitor, '/set', { theme: 'dark' })).toEqual(FAILED)
      await expect.poll(() => server.output()).toContain('STORAGE_ERROR')
      await expect.poll(() => server.output()).toMatch(/EACCES|EPERM|EROFS/)
      expect(server.output()).not.toContain(PRIVATE)
    })

    it('an expired session is none, although its record cannot be removed', async () => {
      await folder.setWritable(true)
      const shortLived = await serverHere({ env: { NITRO_SESSION_MAX_AGE: '1' } })
      const guest = await servers.signIn(shortLived)
      await folder.setWritable(false)
      await expect.poll(() => get(guest, '/data'), RECOVERY).toEqual({ status: 200, body: {}, cookies: [] })
      expect(await folder.files()).toContain(recordName(guest))
    })

    it('a clean-up can do nothing, and harms nothing', async () => {
      await post(servers.visitor(server), '/clean')
      expect(await get(visitor, '/data')).toMatchObject({ status: 200, body: { user: 'ada' } })
      expect(await folder.files()).toEqual([recordName(visitor)])
    })

    it('changes are stored as soon as they are allowed again', async () => {
      expect(await post(visitor, '/add')).toEqual(FAILED)
      const copy = servers.copy(visitor, server)
      expect((await post(servers.copy(visitor, server), '/logout')).status).toBe(503)
      await folder.setWritable(true)
      expect(await post(visitor, '/add')).toMatchObject({ status: 200, body: { user: 'ada', visits: 1 } })
      expect(await post(visitor, '/logout')).toMatchObject({ status: 204 })
      expect(await get(copy, '/data')).toEqual({ status: 200, body: {}, cookies: [] })
    })
  })

  it('a server whose folder cannot be made answers all that needs no session', async () => {
    await writeFile(join(folder.dir, '.data'), 'not a folder')
    const server = await serverHere()
    const visitor = servers.visitor(server)
    expect(await get(visitor, '/static')).toEqual(STATIC)
    expect(await get(visitor, '/data')).toEqual({ status: 200, body: {}, cookies: [] })
    expect(await post(visitor, '/set', { visits: 1 })).toEqual(FAILED)
    expect(await post(visitor, '/add')).toEqual(FAILED)
    expect(linesOf(server)).toEqual([expect.stringContaining(`at ${folder.records}: ENOTDIR`)])
  })

  it('a server that may not write there says so at its start, and one that may says nothing', async () => {
    const fine = await serverHere()
    await servers.signIn(fine)
    await servers.stop(fine)
    await folder.setWritable(false)
    const server = await serverHere()
    await expect.poll(() => linesOf(server)).toEqual([expect.stringContaining(`at ${folder.records}: EACCES`)])
    expect(linesOf(fine)).toEqual([])
  })

  it('when the folder is gone, so are its sessions, and new ones work', async () => {
    const server = await serverHere()
    const visitor = await servers.signIn(server, { user: 'ada' })
    await rm(folder.records, { recursive: true })
    expect(await get(visitor, '/data')).toEqual({ status: 200, body: {}, cookies: [] })
    expect(await post(visitor, '/add')).toMatchObject({ status: 200, body: { visits: 1 }, cookies: [expect.any(String)] })
    expect(await get(visitor, '/data')).toEqual({ status: 200, body: { visits: 1 }, cookies: [] })
    expect(await folder.files()).toContain(recordName(visitor))
  })

  it('a clean-up in a folder that is gone is over at once', async () => {
    const server = await serverHere()
    const visitor = await servers.signIn(server)
    await rm(folder.records, { recursive: true })
    expect(await post(servers.visitor(server), '/clean')).toMatchObject({ status: 200, body: { result: { removed: 0 } } })
    expect(await post(visitor, '/add')).toMatchObject({ status: 200 })
  })

  it('when the folder was away for a moment, its sessions are back with it', async () => {
    const server = await serverHere()
    const visitor = await servers.signIn(server, { user: 'ada' })
    await rename(folder.records, `${folder.records}-away`)
    expect(await get(visitor, '/data')).toEqual({ status: 200, body: {}, cookies: [] })
    await rename(`${folder.records}-away`, folder.records)
    expect(await get(visitor, '/data')).toMatchObject({ status: 200, body: { user: 'ada' } })
  })

  describe('a record whose reading never ends', () => {
    let server: RunningServer
    let visitor: Visitor
    const away = (): string => join(folder.dir, 'away')
    const pipe = (): string => join(folder.dir, 'pipe')
    /** A pipe that nobody writes to, in the place of the record. */
    async function startWithPipe(env: Record<string, string>): Promise<void> {
      visitor = await servers.signIn(await serverHere(), { user: 'ada' })
      server = await serverHere({ env })
      visitor = servers.copy(visitor, server)
      execFileSync('mkfifo', ['-m', '666', pipe()])
      await rename(pathOf(visitor), away())
      await rename(pipe(), pathOf(visitor))
    }
    /** Who still reads from it comes to an end, or the server could not. */
    afterEach(async () => {
      for (const path of [pipe(), pathOf(visitor)])
        await open(path, constants.O_WRONLY | constants.O_NONBLOCK).then(file => file.close(), () => {})
    })

    it('is a 503, and holds up no other session', async () => {
      // The bystander is served within the same time, on a slow machine too.
      await startWithPipe({ NITRO_SESSION_TIMEOUT: '3000' })
      const bystander = await servers.signIn(server, { user: 'bob' })
      for (let round = 0; round < 3; round++) {
        expect(await get(visitor, '/data')).toEqual(FAILED)
        expect(await get(visitor, '/static')).toEqual(STATIC)
        expect(await get(bystander, '/data')).toMatchObject({ status: 200, body: { user: 'bob' } })
      }
    })

    it('is served again as soon as it can be read', async () => {
      await startWithPipe(HASTY)
      expect(await get(visitor, '/data')).toEqual(FAILED)
      await rename(pathOf(visitor), pipe())
      await rename(away(), pathOf(visitor))
      expect(await answered(() => get(visitor, '/data'))).toMatchObject({ status: 200, body: { user: 'ada' } })
      expect(await answered(() => post(visitor, '/set', { theme: 'dark' }))).toMatchObject({ status: 200 })
      expect(await answered(() => get(visitor, '/data'))).toMatchObject({ body: { user: 'ada', theme: 'dark' } })
    })
  })

  describe('a write that fails part-way', () => {
    const maxFileBytes = 64 * 1024

    it('is a 503 that leaves the old record in full, and nothing beside it', async () => {
      const server = await serverHere({ maxFileBytes })
      const visitor = await servers.signIn(server, { user: 'ada' })
      const files = await folder.files()
      for (let round = 0; round < 5; round++)
        expect(await post(visitor, '/set', big(round))).toEqual(FAILED)
      expect(await get(visitor, '/data')).toEqual({ status: 200, body: { private: PRIVATE, user: 'ada' }, cookies: [] })
      expect(await folder.files()).toEqual(files)
      await expect.poll(() => server.output()).toContain('EFBIG')
    })

    it('of a new session leaves no cookie and no file', async () => {
      const server = await serverHere({ maxFileBytes })
      await servers.signIn(server)
      const files = await folder.files()
      expect(await post(servers.visitor(server), '/set', big(1))).toEqual(FAILED)
      expect(await post(servers.visitor(server), '/login', big(1))).toEqual(FAILED)
      expect(await folder.files()).toEqual(files)
    })

    it('at a login leaves the visitor as before', async () => {
      const server = await serverHere({ maxFileBytes })
      const visitor = await servers.signIn(server, { user: 'ada' })
      expect(await post(visitor, '/login', big(1))).toEqual(FAILED)
      expect(await get(visitor, '/data')).toEqual({ status: 200, body: { private: PRIVATE, user: 'ada' }, cookies: [] })
    })

    it('does not stand in the way of one that fits', async () => {
      const server = await serverHere({ maxFileBytes })
      const visitor = await servers.signIn(server)
      expect(await post(visitor, '/set', big(1))).toEqual(FAILED)
      expect(await post(visitor, '/add')).toMatchObject({ status: 200, body: { visits: 1 } })
      expect(await post(visitor, '/logout')).toMatchObject({ status: 204 })
    })
  })

  describe.runIf(isMounting)('on a disk that is full', () => {
    const junk = (): string => join(folder.records, '../junk')
    let server: RunningServer
    let visitor: Visitor
    beforeEach(async () => {
      // The folder of the records may be moved and made anew, so the disk is the one above it.
      server = await serverHere()
      visitor = await servers.signIn(server)
      mountSmall(join(folder.dir, '.data'), 256)
      visitor = await servers.signIn(server, { user: 'ada' })
      // Takes what is left, and fails.
      await writeFile(junk(), Buffer.alloc(2 ** 20)).catch(() => {})
    })
    afterEach(() => unmount(join(folder.dir, '.data')))

    it('changes are a 503, and what was stored stays', async () => {
      expect(await post(visitor, '/set', { theme: 'dark' })).toEqual(FAILED)
      expect(await post(visitor, '/add')).toEqual(FAILED)
      expect(await post(servers.visitor(server), '/set', { visits: 1 })).toEqual(FAILED)
      expect(await get(visitor, '/data')).toEqual({ status: 200, body: { private: PRIVATE, user: 'ada' }, cookies: [] })
    })

    it('a logout works', async () => {
      const copy = servers.copy(visitor, server)
      expect(await post(visitor, '/logout')).toMatchObject({ status: 204, cookies: EXPIRED })
      expect(await get(copy, '/data')).toEqual({ status: 200, body: {}, cookies: [] })
    })

    it('changes are stored again when there is room', async () => {
      expect(await post(visitor, '/add')).toEqual(FAILED)
      await rm(junk())
      expect(await post(visitor, '/add')).toMatchObject({ status: 200, body: { user: 'ada', visits: 1 } })
    })
  })

  describe('two processes', () => {
    let both: [RunningServer, RunningServer]
    beforeEach(async () => {
      both = await Promise.all([serverHere(), serverHere()])
    })

    it('one sees a whole record whenever it reads what the other is replacing', async () => {
      const [writer, reader] = both
      const visitor = await servers.signIn(writer, big(0))
      const readers = Array.from({ length: 4 }, () => servers.copy(visitor, reader))
      const writing = { isOver: false }
      const loop = (async () => {
        for (let round = 1; round <= 150; round++)
          expect(await post(visitor, '/set', big(round))).toMatchObject({ status: 200 })
      })().finally(() => writing.isOver = true)
      const seen = new Set<number>()
      await Promise.all([loop, ...readers.map(async (copy) => {
        while (!writing.isOver) {
          const { status, body, cookies } = await get(copy, '/data')
          expect({ status, cookies }).toEqual({ status: 200, cookies: [] })
          const { round } = body as { round: number }
          expect(body).toEqual({ private: PRIVATE, ...big(round) })
          seen.add(round)
        }
      })])
      expect(seen.size).toBeGreaterThan(1)
    })

    it('no increment is lost when both add at once', async () => {
      const visitor = await servers.signIn(both[0])
      const copies = Array.from({ length: 64 }, (_, index) => servers.copy(visitor, both[index % 2]!))
      const answers = await Promise.all(copies.map(copy => post(copy, '/add')))
      expect(answers.map(({ status }) => status)).toEqual(copies.map(() => 200))
      expect(await get(visitor, '/data')).toMatchObject({ body: { visits: 64 } })
    })

    it('both keep the keys they set at once', async () => {
      const visitor = await servers.signIn(both[0])
      const keys = Array.from({ length: 32 }, (_, index) => `key-${index}`)
      const answers = await Promise.all(keys.map((key, index) => post(servers.copy(visitor, both[index % 2]!), '/set', { [key]: true })))
      expect(answers.map(({ status }) => status)).toEqual(keys.map(() => 200))
      expect(await get(visitor, '/data')).toMatchObject({ body: Object.fromEntries(keys.map(key => [key, true])) })
    })

    it('nobody is logged in after a logout through one, whatever the other was writing', async () => {
      for (let round = 0; round < 20; round++) {
        const visitor = await servers.signIn(both[0], { user: 'ada' })
        const leaving = servers.copy(visitor, both[round % 2]!)
        const writers = Array.from({ length: 6 }, (_, index) => servers.copy(visitor, both[index % 2]!))
        const [logout, ...answers] = await Promise.all([post(leaving, '/logout'), ...writers.map((copy, index) => post(copy, index % 3 ? '/add' : '/set', { round }))])
        expect(logout).toMatchObject({ status: 204, cookies: EXPIRED })
        // Changed before the end, ended while it changed, or begun anew.
        expect(answers.filter(({ status }) => ![200, 401].includes(status))).toEqual([])
        for (const copy of [visitor, ...writers])
          expect(await get(copy, '/data')).not.toMatchObject({ body: { user: 'ada' } })
      }
    })

    it('an id is dead in both once one has replaced it', async () => {
      const visitor = await servers.signIn(both[0], { user: 'anonymous' })
      const copy = servers.copy(visitor, both[1])
      expect(await get(copy, '/data')).toMatchObject({ body: { user: 'anonymous' } })
      expect(await post(visitor, '/login', { user: 'ada' })).toMatchObject({ status: 200 })
      expect(await get(copy, '/data')).toEqual({ status: 200, body: {}, cookies: [] })
      expect(await get(servers.copy(visitor, both[1]), '/data')).toMatchObject({ body: { user: 'ada' } })
    })
  })

  describe('a process that stands still while it writes', () => {
    /** Until another process has changed the same sessions; then it goes on. */
    async function standStill(): Promise<{ bystander: number[], sessions: { visits: number, added: number, asked: number }[] }> {
      const [still, other] = await Promise.all([serverHere(), serverHere()])
      const bystander = await servers.signIn(other)
      const tallies = await Promise.all(Array.from({ length: 8 }, async () => ({ visitor: await servers.signIn(still, big(0)), asked: 0, added: 0 })))
      const add = async (tally: typeof tallies[number], server: RunningServer): Promise<number | undefined> => {
        tally.asked++
        // A server that stood still for long closes its connections, with what is on its way.
        const answer = await post(servers.copy(tally.visitor, server), '/add').catch(() => undefined)
        tally.added += answer?.status === 200 ? 1 : 0
        return answer?.status
      }
      const writing = { isOver: false }
      const loops = tallies.map(async (tally) => {
        while (!writing.isOver)
          await add(tally, still)
      })
      await expect.poll(() => tallies.every(({ added }) => added >= 5), RECOVERY).toBe(true)
      still.process.kill('SIGSTOP')

      const waiting = Promise.all(tallies.map(async (tally) => {
        await expect.poll(() => add(tally, other), RECOVERY).toBe(200)
      })).finally(() => {
        writing.isOver = true
        still.process.kill('SIGCONT')
      })
      const seen: number[] = []
      while (seen.length < 10) {
        // Its locks are as fresh as those of a process that works.
        await setLockTimes(Date.now())
        seen.push((await get(bystander, '/data')).status)
      }
      await waiting
      await Promise.all(loops)
      const sessions = await Promise.all(tallies.map(async ({ visitor, added, asked }) => {
        const { visits } = (await get(servers.copy(visitor, other), '/data')).body as { visits: number }
        return { visits, added, asked }
      }))
      return { bystander: seen, sessions }
    }

    it('holds up no other session, and overwrites nothing when it goes on', async () => {
      const { bystander, sessions } = await standStill()
      expect(new Set(bystander)).toEqual(new Set([200]))
      for (const { visits, added, asked } of sessions) {
        expect(visits).toBeGreaterThanOrEqual(added)
        expect(visits).toBeLessThanOrEqual(asked)
      }
    })
  })

  it('a process that is killed while it writes leaves whole records, which the next ones can change', async () => {
    const tallies: { visitor: Visitor, stored: number, visits: number }[] = []
    for (let life = 0; life < 3; life++) {
      const killed = await folder.start()
      if (life === 0)
        tallies.push(...await Promise.all(Array.from({ length: 8 }, async () => ({ visitor: await servers.signIn(killed, big(0)), stored: 0, visits: 0 }))))
      let count = 0
      const loops = tallies.map(async (tally) => {
        const visitor = servers.copy(tally.visitor, killed)
        const set = (): Promise<Answer | undefined> => post(visitor, '/set', big(tally.stored + 1)).catch(() => undefined)
        for (let answer = await set(); answer; answer = await set()) {
          expect(answer.status).toBe(200)
          tally.stored++
          count++
        }
      })
      await expect.poll(() => count, RECOVERY).toBeGreaterThan(40)
      await killGroup(killed)
      await Promise.all(loops)
      // Once the next ones wait until the locks of the dead are old; then time is made to pass.
      if (life > 0)
        await setLockTimes(Date.now() - 60_000)

      const next = await Promise.all([serverHere(), serverHere()])
      await Promise.all(tallies.map(async (tally) => {
        const read = await get(servers.copy(tally.visitor, next[0]!), '/data')
        const { round } = read.body as { round: number }
        expect(read).toMatchObject({ status: 200, body: { private: PRIVATE, ...big(round) } })
        // The one that was not acknowledged may have come through.
        expect([tally.stored, tally.stored + 1]).toContain(round)
        tally.stored = round
        const copies = Array.from({ length: 4 }, (_, index) => servers.copy(tally.visitor, next[index % 2]!))
        expect((await Promise.all(copies.map(copy => post(copy, '/add')))).map(({ status }) => status)).toEqual(copies.map(() => 200))
        tally.visits += copies.length
        expect(await get(copies[0]!, '/data')).toMatchObject({ body: { round, visits: tally.visits } })
      }))
      await Promise.all(next.map(server => servers.stop(server)))
    }
  })

  describe('values that are no records of this version', () => {
    it('are no session, and the next change starts one of its own and leaves them as they are', async () => {
      const server = await serverHere()
      const record = await readFile(pathOf(await servers.signIn(server)), 'utf8')
      for (const [kind, value] of foreignValues(record)) {
        const visitor = await servers.signIn(server, { user: 'ada' })
        const path = pathOf(visitor)
        await writeFile(path, value)
        await get(servers.visitor(server), '/rejected')
        expect(await get(visitor, '/data'), kind).toEqual({ status: 200, body: {}, cookies: [] })
        expect((await get(servers.visitor(server), '/rejected')).body, kind).toEqual(['corrupt'])
        expect(await post(visitor, '/add'), kind).toMatchObject({ status: 200, body: { visits: 1 }, cookies: [expect.any(String)] })
        expect(pathOf(visitor), kind).not.toBe(path)
        expect((await post(servers.visitor(server), '/clean')).body, kind).toEqual({ result: { removed: 0 } })
        expect(await readFile(path, 'utf8'), kind).toBe(value)
      }
    })
  })
})

describe('the preset node-cluster', () => {
  const WORKERS = 3
  let built: NitroBuild
  let folder: RecordFolder
  let server: RunningServer
  beforeAll(async () => {
    built = await buildNitro('nitro-trouble', { preset: 'node-cluster' })
    folder = await createRecordFolder(built.outputDir)
  })
  beforeEach(async () => {
    server = await folder.start({ env: { NITRO_CLUSTER_WORKERS: String(WORKERS) } })
    // Connections that are made before would all be of the first worker.
    await vi.waitUntil(() => server.output().match(/Listening on/g)?.length === WORKERS, RECOVERY)
  })
  // Its first process starts workers anew that a polite end reached first.
  afterEach(() => killGroup(server))
  afterAll(async () => {
    await folder?.remove()
    await built?.remove()
  })
  const servers = useTroubledServers()

  async function askWorkers(visitor: Visitor): Promise<{ pid: number, data: unknown }[]> {
    // More at once than any test made connections: each is used, also the few that reached the slower workers.
    const answers = await Promise.all(Array.from({ length: 96 }, () => get(servers.copy(visitor, server), '/worker')))
    return answers.map(({ body }) => body as { pid: number, data: unknown })
  }

  it('every worker knows a login, and then a logout', async () => {
    const visitor = await servers.signIn(server)
    expect(await post(visitor, '/login', { user: 'ada' })).toMatchObject({ status: 200 })
    const copy = servers.copy(visitor, server)
    const during = await askWorkers(visitor)
    expect(new Set(during.map(({ pid }) => pid)).size).toBeGreaterThan(1)
    for (const { data } of during)
      expect(data).toEqual({ private: PRIVATE, user: 'ada' })

    expect(await post(visitor, '/logout')).toMatchObject({ status: 204 })
    for (const { data } of await askWorkers(copy))
      expect(data).toEqual({})
  })

  it('no increment is lost between the workers', async () => {
    const visitor = await servers.signIn(server)
    const copies = Array.from({ length: 64 }, () => servers.copy(visitor, server))
    const answers = await Promise.all(copies.map(copy => post(copy, '/add')))
    expect(answers.map(({ status }) => status)).toEqual(copies.map(() => 200))
    const after = await askWorkers(visitor)
    expect(new Set(after.map(({ pid }) => pid)).size).toBeGreaterThan(1)
    for (const { data } of after)
      expect(data).toMatchObject({ visits: 64 })
  })

  it('records are whole for every worker while another replaces them', async () => {
    const visitor = await servers.signIn(server, big(0))
    const writing = { isOver: false }
    const loop = (async () => {
      for (let round = 1; round <= 60; round++)
        expect(await post(visitor, '/set', big(round))).toMatchObject({ status: 200 })
    })().finally(() => writing.isOver = true)
    await Promise.all([loop, ...Array.from({ length: 6 }, async () => {
      const copy = servers.copy(visitor, server)
      while (!writing.isOver) {
        const { body } = await get(copy, '/data')
        expect(body).toEqual({ private: PRIVATE, ...big((body as { round: number }).round) })
      }
    })])
  })
})
