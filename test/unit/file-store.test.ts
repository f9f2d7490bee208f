import type { ChildProcess } from 'node:child_process'
import type { SessionRecord, SessionStore } from '../../src/core/types'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createStorage } from 'unstorage'
import fsDriver from 'unstorage/drivers/fs'
import fsLite from 'unstorage/drivers/fs-lite'
import { createStorageStore } from '../../src/core/stores/unstorage'
import { collect } from './support/collect'
import { caught } from './support/errors'
import { temporaryFolder } from './support/folders'
import { createSwitch } from './support/server'
import { KEY, OTHER_KEY, recordOf } from './support/store-contract'

const JITI = fileURLToPath(new URL('../../node_modules/.bin/jiti', import.meta.url))
const WRITER = fileURLToPath(new URL('support/file-writer.ts', import.meta.url))
const MINUTES_AGO = new Date(Date.now() - 5 * 60_000)
const LONG = { timeout: 60_000 }

function storeIn(base: string): SessionStore {
  return createStorageStore(createStorage({ driver: fsLite({ base }) }), { base: '', timeout: 30_000 })
}

async function modeOf(path: string): Promise<number> {
  return (await fs.stat(path)).mode & 0o777
}

/** Starts a process of its own that adds to the record of KEY. */
async function startWriter(base: string, name: string, times: number): Promise<ChildProcess> {
  const child = spawn(JITI, [WRITER, base, KEY, name, String(times)], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill())
  await once(child.stdout, 'data')
  return child
}

afterEach(() => void vi.restoreAllMocks())

/** No lock grows old while a test looks at it; answers how to let time pass again. */
function stopTheClock(): () => void {
  vi.setSystemTime(Date.now())
  const goOn = (): void => void vi.useRealTimers()
  onTestFinished(goOn)
  return goOn
}

describe('two real processes on one folder', () => {
  it('lose none of what both add to one record', async () => {
    const base = await temporaryFolder()
    const store = storeIn(base)
    await store.compareAndSet!(KEY, undefined, recordOf({ n: 0 }), 60)
    const writers = await Promise.all([startWriter(base, 'a', 60), startWriter(base, 'b', 60)])
    const exits = Promise.all(writers.map(writer => once(writer, 'exit')))
    writers.forEach(writer => writer.stdin?.write('begin\n'))
    expect(await exits).toEqual([[0, null], [0, null]])
    expect((await store.get(KEY) as SessionRecord).data).toEqual({ n: 120, a: 60, b: 60 })
    expect(await fs.readdir(base)).toEqual([KEY])
  })

  it('go on after one of them was killed', async () => {
    const base = await temporaryFolder()
    const store = storeIn(base)
    await store.compareAndSet!(KEY, undefined, recordOf({ n: 0 }), 60)
    const writer = await startWriter(base, 'a', 1_000_000)
    writer.stdin?.write('begin\n')
    await vi.waitUntil(async () => (await store.get(KEY) as SessionRecord).data.n as number > 20, LONG)
    const exited = once(writer, 'exit')
    writer.kill('SIGKILL')
    await exited
    // A lock that was left is waited for until it is stale; do not wait here.
    await fs.utimes(join(base, `${KEY}.lock`), MINUTES_AGO, MINUTES_AGO).catch(() => {})
    const { data, revision } = await store.get(KEY) as SessionRecord
    expect(data.a).toBe(data.n)
    expect(await store.compareAndSet!(KEY, revision, recordOf({ n: 0 }, 'after'), 60)).toBe(true)
  })
})

describe('a store over files', () => {
  it('never shows half of a record to a reader', async () => {
    const base = await temporaryFolder()
    const [writer, reader] = [storeIn(base), storeIn(base)]
    const big = (n: number): SessionRecord => recordOf({ n, text: 'x'.repeat(100_000 * (1 + n % 3)) }, String(n))
    await writer.compareAndSet!(KEY, undefined, big(0), 60)
    const writing = (async () => {
      for (let n = 1; n <= 30; n++)
        await (n % 2 ? writer.set(KEY, big(n), 60) : writer.compareAndSet!(KEY, String(n - 1), big(n), 60))
    })()
    const seen = new Set<unknown>()
    while (!seen.has(30)) {
      const record = await reader.get(KEY) as SessionRecord
      expect(record).toEqual(big(record.data.n as number))
      seen.add(record.data.n)
    }
    await writing
    expect(seen.size).toBeGreaterThan(1)
  })

  it('leaves nothing but records behind', async () => {
    const base = await temporaryFolder()
    const store = storeIn(base)
    await store.set(KEY, recordOf({}), 60)
    await store.compareAndSet!(KEY, 'one', recordOf({}, 'two'), 60)
    await store.compareAndSet!(KEY, 'one', recordOf({}, 'three'), 60)
    await store.compareAndSet!(OTHER_KEY, undefined, recordOf({}), 60)
    await store.compareAndSet!(OTHER_KEY, 'one', undefined, 0)
    expect(await fs.readdir(base)).toEqual([KEY])
    await store.delete(KEY)
    expect(await fs.readdir(base)).toEqual([])
  })

  it('keeps records from other users of the machine', async () => {
    const base = await temporaryFolder()
    const store = storeIn(base)
    await store.set(KEY, recordOf({}), 60)
    await store.compareAndSet!(OTHER_KEY, undefined, recordOf({}), 60)
    const modes = await Promise.all([KEY, OTHER_KEY].map(key => modeOf(join(base, key))))
    expect(modes).toEqual([0o600, 0o600])
  })

  it.runIf(process.platform !== 'win32')('makes its folder, and those in it, for its own user alone; those above are not its own', async () => {
    const above = join(await temporaryFolder(), 'above')
    const base = join(above, 'app')
    await createStorageStore(createStorage({ driver: fsLite({ base }) }), { base: 'records:sessions', timeout: 30_000 }).set(KEY, recordOf({}), 60)
    const modes = await Promise.all([above, base, join(base, 'records'), join(base, 'records/sessions')].map(modeOf))
    expect(modes).toEqual([0o777 & ~process.umask(), 0o700, 0o700, 0o700])
  })

  it.runIf(process.platform !== 'win32').each([0o755, 0o770, 0o700])('leaves a folder that was there as it is: mode %o', async (mode) => {
    const base = await temporaryFolder()
    await fs.chmod(base, mode)
    const store = storeIn(base)
    await store.set(KEY, recordOf({}), 60)
    await store.compareAndSet!(OTHER_KEY, undefined, recordOf({}), 60)
    await store.delete(KEY)
    expect(await modeOf(base)).toBe(mode)
  })

  it.each([['fs', fsDriver], ['fs-lite', fsLite]] as const)('has the layout of the driver %s', async (_, createDriver) => {
    const base = await temporaryFolder()
    const driver = createDriver({ base })
    const store = createStorageStore(createStorage({ driver }), { base: 'app:sessions', timeout: 5000 })
    await store.compareAndSet!(KEY, undefined, recordOf({ a: 1 }), 60)
    expect(JSON.parse(await driver.getItem(`app:sessions:${KEY}`) as string)).toEqual(recordOf({ a: 1 }))
    await driver.setItem?.(`app:sessions:${OTHER_KEY}`, JSON.stringify(recordOf({ b: 2 })), {})
    expect(await store.get(OTHER_KEY)).toEqual(recordOf({ b: 2 }))
    expect((await collect(store.keys!(Infinity))).sort()).toEqual([KEY, OTHER_KEY])
  })

  it('makes its folder anew when somebody removed it', async () => {
    const base = join(await temporaryFolder(), 'sessions')
    const store = storeIn(base)
    await store.set(KEY, recordOf({}), 60)
    await fs.rm(base, { recursive: true })
    expect(await store.get(KEY)).toBeUndefined()
    expect(await store.compareAndSet!(KEY, undefined, recordOf({ a: 1 }), 60)).toBe(true)
    expect(await store.get(KEY)).toEqual(recordOf({ a: 1 }))
  })

  it('leaves nothing beside a record that it could not write', async () => {
    const base = await temporaryFolder()
    await fs.mkdir(join(base, KEY))
    expect(await caught(() => storeIn(base).set(KEY, recordOf({}), 60))).toMatchObject({ code: 'STORAGE_ERROR', details: { action: 'writing' } })
    expect(await fs.readdir(base)).toEqual([KEY])
  })

  it('takes a half-written file of another program for something else than any record', async () => {
    const base = await temporaryFolder()
    const store = storeIn(base)
    await fs.writeFile(join(base, KEY), '{"version":1,"revision":"one","da')
    expect([
      await store.compareAndSet!(KEY, 'one', recordOf({}, 'two'), 60),
      await store.compareAndSet!(KEY, undefined, recordOf({}, 'two'), 60),
      await fs.readFile(join(base, KEY), 'utf8'),
    ]).toEqual([false, false, '{"version":1,"revision":"one","da'])
  })

  it('refuses to write where the driver is read-only', async () => {
    const base = await temporaryFolder()
    const store = createStorageStore(createStorage({ driver: fsLite({ base, readOnly: true }) }), { base: '', timeout: 5000 })
    expect(await caught(() => store.set(KEY, recordOf({}), 60))).toMatchObject({ code: 'STORAGE_ERROR' })
    expect(await caught(() => store.compareAndSet!(KEY, undefined, recordOf({}), 60))).toMatchObject({ code: 'STORAGE_ERROR' })
    expect(await caught(() => store.delete(KEY))).toMatchObject({ code: 'STORAGE_ERROR' })
  })
})

describe('the lock of a file', () => {
  it('that another process holds is waited for', async () => {
    stopTheClock()
    const base = await temporaryFolder()
    const lock = join(base, `${KEY}.lock`)
    await fs.writeFile(lock, '')
    let isDone = false
    const written = Promise.resolve(storeIn(base).set(KEY, recordOf({}), 60)).then(() => isDone = true)
    const open = vi.spyOn(fs, 'open')
    await vi.waitUntil(() => open.mock.calls.length > 2, LONG)
    expect([isDone, await fs.readdir(base)]).toEqual([false, [`${KEY}.lock`]])
    await fs.unlink(lock)
    await written
    expect(await fs.readdir(base)).toEqual([KEY])
  })

  it('that another process holds does not keep readers waiting', async () => {
    const base = await temporaryFolder()
    const store = storeIn(base)
    await store.set(KEY, recordOf({ a: 1 }), 60)
    await fs.writeFile(join(base, `${KEY}.lock`), '')
    expect(await store.get(KEY)).toEqual(recordOf({ a: 1 }))
  })

  it('that another process holds does not keep writers of other records waiting', async () => {
    const base = await temporaryFolder()
    await fs.writeFile(join(base, `${KEY}.lock`), '')
    await storeIn(base).set(OTHER_KEY, recordOf({ a: 1 }), 60)
    expect(await storeIn(base).get(OTHER_KEY)).toEqual(recordOf({ a: 1 }))
  })

  it('that a process left when it died is taken away', async () => {
    const base = await temporaryFolder()
    const lock = join(base, `${KEY}.lock`)
    await fs.writeFile(lock, '')
    await fs.utimes(lock, MINUTES_AGO, MINUTES_AGO)
    await storeIn(base).set(KEY, recordOf({}), 60)
    expect(await fs.readdir(base)).toEqual([KEY])
  })

  it('that was left is taken over by one of many, one after the other', async () => {
    const base = await temporaryFolder()
    await storeIn(base).compareAndSet!(KEY, undefined, recordOf({}), 60)
    const lock = join(base, `${KEY}.lock`)
    await fs.writeFile(lock, '')
    await fs.utimes(lock, MINUTES_AGO, MINUTES_AGO)
    const results = await Promise.all(Array.from({ length: 20 }, (_, n) => storeIn(base).compareAndSet!(KEY, 'one', recordOf({ n }, `new ${n}`), 60)))
    expect([results.filter(Boolean).length, await fs.readdir(base)]).toEqual([1, [KEY]])
  })

  it('that was left and has just been taken by another is not taken from that', async () => {
    const base = await temporaryFolder()
    await storeIn(base).compareAndSet!(KEY, undefined, recordOf({}), 60)
    const lock = join(base, `${KEY}.lock`)
    await fs.writeFile(lock, '')
    await fs.utimes(lock, MINUTES_AGO, MINUTES_AGO)

    const goOn = stopTheClock()
    // Both see that the lock is old; the second acts on it when the first has taken its place.
    const { stat, rename } = fs
    const [bothSaw, firstTook, mayWrite] = [createSwitch(), createSwitch(), createSwitch()]
    let looks = 0
    vi.spyOn(fs, 'stat').mockImplementation((async (file: string) => {
      const result = await stat(file)
      const look = ++looks
      if (look === 2)
        bothSaw.resolve()
      if (look <= 2)
        await (look === 1 ? bothSaw : firstTook).promise
      return result
    }) as typeof fs.stat)
    vi.spyOn(fs, 'rename').mockImplementation(async (from, to) => {
      if (to === join(base, KEY)) {
        firstTook.resolve()
        await mayWrite.promise
      }
      return rename(from, to)
    })
    const open = vi.spyOn(fs, 'open')
    const attempts = ['first', 'second'].map(by => storeIn(base).compareAndSet!(KEY, 'one', recordOf({ by }, by), 60))
    await firstTook.promise
    // The other has the lock too, or tries again and again.
    await vi.waitUntil(async () => open.mock.calls.length > 5 || (await fs.readdir(base)).filter(name => name.startsWith(KEY) && name.endsWith('.tmp')).length > 1, LONG)
    goOn()
    mayWrite.resolve()
    expect((await Promise.all(attempts)).filter(Boolean)).toHaveLength(1)
  })

  it('that was broken while its owner stood still lets that one replace nothing', async () => {
    const base = await temporaryFolder()
    await storeIn(base).compareAndSet!(KEY, undefined, recordOf({}), 60)
    // It has made sure of its lock, and replaces the record when another process has changed it.
    const { rename } = fs
    const [isAboutTo, goesOn] = [createSwitch(), createSwitch()]
    vi.spyOn(fs, 'rename').mockImplementationOnce(async (from, to) => {
      isAboutTo.resolve()
      await goesOn.promise
      return rename(from, to)
    })
    const still = Promise.resolve(storeIn(base).compareAndSet!(KEY, 'one', recordOf({ by: 'still' }, 'still'), 60)).catch((error: Error) => error)
    await isAboutTo.promise
    await fs.utimes(join(base, `${KEY}.lock`), MINUTES_AGO, MINUTES_AGO)
    const other = storeIn(base)
    expect(await other.compareAndSet!(KEY, 'one', recordOf({ by: 'other' }, 'other'), 60)).toBe(true)
    goesOn.resolve()
    expect(await still).not.toBe(true)
    expect(await other.get(KEY)).toEqual(recordOf({ by: 'other' }, 'other'))
  })

  it('counts as held from before it was there', async () => {
    const base = await temporaryFolder()
    await storeIn(base).compareAndSet!(KEY, undefined, recordOf({}), 60)
    const now = performance.now.bind(performance)
    let stoodStill = 0
    vi.spyOn(performance, 'now').mockImplementation(() => now() + stoodStill)
    const { open } = fs
    vi.spyOn(fs, 'open').mockImplementationOnce(async (...args) => {
      const created = await open(...args)
      stoodStill = 10_000
      return created
    })
    expect(await storeIn(base).compareAndSet!(KEY, 'one', recordOf({ by: 'still' }, 'still'), 60)).toBe(false)
    expect((await fs.readdir(base)).filter(name => name.endsWith('.tmp'))).toEqual([])
  })

  it('that was left and has just been taken by another is not taken from that by a sweep', async () => {
    const base = await temporaryFolder()
    const store = storeIn(base)
    await store.compareAndSet!(KEY, undefined, recordOf({}), 60)
    const lock = join(base, `${KEY}.lock`)
    await fs.writeFile(lock, '')
    await fs.utimes(lock, MINUTES_AGO, MINUTES_AGO)

    const goOn = stopTheClock()
    // The sweep sees that the lock is old, and acts on it when a writer has taken its place.
    const { stat, rename } = fs
    const [sweepSaw, firstTook, mayWrite] = [createSwitch(), createSwitch(), createSwitch()]
    let looks = 0
    vi.spyOn(fs, 'stat').mockImplementation((async (file: string) => {
      const result = await stat(file)
      if (looks++ === 0) {
        sweepSaw.resolve()
        await firstTook.promise
      }
      return result
    }) as typeof fs.stat)
    vi.spyOn(fs, 'rename').mockImplementation(async (from, to) => {
      if (to === join(base, KEY)) {
        firstTook.resolve()
        await mayWrite.promise
      }
      return rename(from, to)
    })
    const swept = collect(store.keys!(Infinity))
    await sweepSaw.promise
    const first = storeIn(base).compareAndSet!(KEY, 'one', recordOf({ by: 'first' }, 'first'), 60)
    await firstTook.promise
    await swept
    const open = vi.spyOn(fs, 'open')
    const second = storeIn(base).compareAndSet!(KEY, 'one', recordOf({ by: 'second' }, 'second'), 60)
    await vi.waitUntil(async () => open.mock.calls.length > 2 || (await fs.readdir(base)).filter(name => name.startsWith(KEY) && name.endsWith('.tmp')).length > 1, LONG)
    goOn()
    mayWrite.resolve()
    expect((await Promise.all([first, second])).filter(Boolean)).toHaveLength(1)
  })
})
