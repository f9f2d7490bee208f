import type { Driver } from '../../src/core/stores/driver'
import type { SessionStore } from '../../src/core/types'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import * as fc from 'fast-check'
import fsDriver from 'unstorage/drivers/fs'
import fsLiteDriver from 'unstorage/drivers/fs-lite'
import httpDriver from 'unstorage/drivers/http'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { hostsOf } from '../../src/core/stores/address'
import { createMountedStore, openMount } from '../../src/core/stores/mounted'
import { causeOf } from '../../src/core/stores/notice'
import { createOwnStore } from '../../src/core/stores/own'
import { freePort } from '../support/ports'
import { caught, codeOf } from './support/errors'
import { temporaryFolder } from './support/folders'
import { KEY, OTHER_KEY, recordOf } from './support/store-contract'

const lines: string[] = []
let now = 0

beforeEach(() => {
  lines.length = 0
  for (const method of ['error', 'warn', 'info'] as const)
    vi.spyOn(console, method).mockImplementation((line: string) => void lines.push(line))
  vi.spyOn(performance, 'now').mockImplementation(() => now)
})

afterEach(() => {
  vi.restoreAllMocks()
})

/** A driver of that name whose operations fail as they are told to. */
class FailingDriver {
  failure: unknown
  readonly failsAt = new Set(['getItem', 'setItem', 'removeItem'])
  readonly store: SessionStore

  constructor(driver: Partial<Driver>, failure: unknown) {
    this.failure = failure
    const act = (name: string) => async () => {
      if (this.failsAt.has(name))
        throw this.failure
      return null
    }
    const failing: Driver = { ...driver, getItem: act('getItem'), setItem: act('setItem'), removeItem: act('removeItem') }
    this.store = createMountedStore({ getMount: () => ({ base: '', driver: failing }) }, { base: '', timeout: 5000 })
  }
}

const coded = (code: string): Error => Object.assign(new Error('secret'), { code })
const SERVICE = 'Check that it runs and can be reached there; it is asked again by itself, and no restart is needed.'
const ACCESS = 'Check the user, the password or the token that it is given; it is asked again by itself, and no restart is needed.'
const ROOM = 'Make room there; it is asked again by itself, and no restart is needed.'
const UNKNOWN = 'Check what it is connected to; it is asked again by itself, and no restart is needed.'

describe('the line about a driver that fails', () => {
  it.each<[driver: string, options: object | undefined, failure: unknown, where: string, remedy: string]>([
    ['mongodb', { connectionString: 'mongodb+srv://ada:secret@cluster0.example.net/shop?authSource=secret' }, Object.assign(new Error('secret'), { name: 'MongoServerSelectionError' }), 'mongodb at cluster0.example.net: MongoServerSelectionError', SERVICE],
    ['mongodb', { connectionString: 'mongodb://ada:s%40cret@one:27017,two:27018/?replicaSet=secret' }, Object.assign(new Error('secret'), { name: 'MongoServerError', code: 18, codeName: 'AuthenticationFailed' }), 'mongodb at one:27017, two:27018: AuthenticationFailed', ACCESS],
    ['upstash', { url: 'https://eu1-kv.upstash.io', token: 'secret' }, Object.assign(new Error('secret'), { name: 'UpstashError' }), 'upstash at eu1-kv.upstash.io: UpstashError', SERVICE],
    ['upstash', { url: undefined, token: 'secret' }, new TypeError('fetch failed', { cause: coded('ENOTFOUND') }), 'upstash: ENOTFOUND', UNKNOWN],
    ['http', { base: 'https://ada:secret@kv.example/secret/v1?token=secret#secret', headers: { authorization: 'secret' } }, Object.assign(new Error('secret'), { statusCode: 401 }), 'http at kv.example: HTTP 401', ACCESS],
    ['http', { base: 'http://[::1]:8080/kv' }, Object.assign(new Error('secret'), { status: 507 }), 'http at [::1]:8080: HTTP 507', ROOM],
    ['planetscale', { url: 'mysql://ada:secret@aws.connect.psdb.cloud/sessions?sslaccept=strict' }, coded('ECONNRESET'), 'planetscale at aws.connect.psdb.cloud: ECONNRESET', SERVICE],
    ['s3', { endpoint: 'https://s3.eu.example', bucket: 'b', accessKeyId: 'secret', secretAccessKey: 'secret' }, Object.assign(new Error('secret'), { status: 403 }), 's3 at s3.eu.example: HTTP 403', ACCESS],
    ['azure-app-configuration', { connectionString: 'Endpoint=https://x.azconfig.io;Id=secret;Secret=secret' }, new Error('secret'), 'azure-app-configuration: an error', UNKNOWN],
    ['an own one', { host: 'fd00::7', port: 4000, password: 'secret' }, coded('EPIPE'), 'an own one at [fd00::7]:4000: EPIPE', SERVICE],
    ['db', { url: 'postgres://ada:sec/ret@db/shop' }, coded('ETIMEDOUT'), 'db: ETIMEDOUT', UNKNOWN],
    ['memory', undefined, new Error('secret'), 'memory: an error', UNKNOWN],
  ])('%s, with %j', async (name, options, failure, where, remedy) => {
    const { store } = new FailingDriver({ name, ...options && { options } }, failure)
    for (const key of [KEY, OTHER_KEY, KEY])
      expect(await codeOf(() => store.get(key))).toBe('STORAGE_ERROR')
    expect(lines).toEqual([`[unsession] The session storage is in trouble: ${where} at reading records. Requests that need that are answered with 503. ${remedy}`])
  })

  it.each([
    ['READONLY You can\'t write against a read only replica.', 'Check that it can be written there'],
    ['MISCONF Redis is configured to save RDB snapshots', 'Check that it can be written there'],
    ['WRONGPASS invalid username-password pair', 'Check the user, the password'],
    ['OOM command not allowed', 'Make room there'],
  ])('names the remedy for %s', async (message, remedy) => {
    await codeOf(() => new FailingDriver({ name: 'db', options: { host: 'db' } }, Object.assign(new Error(message), { name: 'ReplyError' })).store.set(KEY, recordOf({}), 60))
    await codeOf(() => new FailingDriver({ name: 'db', options: { host: 'db' } }, coded('28P01')).store.get(KEY))
    expect(lines).toEqual([expect.stringContaining(`at writing records. Requests that need that are answered with 503. ${remedy}`), expect.stringContaining('28P01 at reading records. Requests that need that are answered with 503. Check the user, the password')])
  })

  it('is of a driver of the app where that has no name', async () => {
    await codeOf(() => new FailingDriver({}, new Error('secret')).store.get(KEY))
    expect(lines).toEqual([expect.stringContaining('in trouble: a driver of the app: an error at reading records. ')])
  })

  it('is of a store of the app', async () => {
    let isThere = false
    const store = createOwnStore({
      get() {
        if (!isThere)
          throw coded('ECONNREFUSED')
      },
      async set() {},
      async delete() {},
    }, 5000)
    await codeOf(() => store.get(KEY))
    await codeOf(() => store.get(KEY))
    isThere = true
    await store.get(KEY)
    await store.get(KEY)
    expect(lines).toEqual([expect.stringContaining('in trouble: the store of the app: ECONNREFUSED at reading records. '), '[unsession] The session storage is back: the store of the app.'])
  })

  it('names a service that refuses connections', async () => {
    const port = await freePort()
    const driver = httpDriver({ base: `http://127.0.0.1:${port}/kv?token=secret` })
    const store = createMountedStore({ getMount: () => ({ base: '', driver }) }, { base: '', timeout: 5000 })
    await codeOf(() => store.get(KEY))
    expect(lines).toEqual([expect.stringContaining(`in trouble: http at 127.0.0.1:${port}: ECONNREFUSED at reading records. `)])
  })
})

describe.each([['fs', fsDriver], ['fs-lite', fsLiteDriver]] as const)('the line about a folder of the driver %s', (name, createDriver) => {
  it('tells what is to be checked, once at the start and not again by what fails, and once that it works', async () => {
    const base = join(await temporaryFolder(), 'records')
    const driver = createDriver({ base }) as Driver
    const mounts = { getMount: () => ({ base: '', driver }) }
    const store = createMountedStore(mounts, { base: '', timeout: 5000 })
    await writeFile(base, '')
    await openMount(mounts, '')
    const write = (): unknown => store.set(KEY, recordOf({}), 60)
    expect([await codeOf(write), await codeOf(write)]).toEqual(['STORAGE_ERROR', 'STORAGE_ERROR'])
    await rm(base)
    await mkdir(base)
    await write()
    await write()
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`^\\[unsession\\] The session storage is in trouble: ${name} at ${base}: EACCES at writing records\\. .*Check that the server's user may read and write there, and that there is free space; `)),
      `[unsession] The session storage is back: ${name} at ${base}.`,
    ])
  })
})

describe('an outage', () => {
  it('of writing alone is over when something was written, not when something was read', async () => {
    const driver = new FailingDriver({ name: 'fs-like', options: { base: './x' } }, coded('ENOSPC'))
    driver.failsAt.delete('getItem')
    for (let request = 0; request < 3; request++) {
      await driver.store.get(KEY)
      await codeOf(() => driver.store.set(KEY, recordOf({}), 60))
    }
    expect(lines).toEqual([expect.stringContaining('in trouble: fs-like: ENOSPC at writing records. Requests that need that are answered with 503. Make room there;')])
    driver.failsAt.clear()
    await driver.store.set(KEY, recordOf({}), 60)
    expect(lines.slice(1)).toEqual(['[unsession] The session storage is back: fs-like.'])
  })

  it('of some records only does not fill the log', async () => {
    const driver = new FailingDriver({ name: 'picky' }, coded('E2BIG'))
    for (let request = 0; request < 20; request++) {
      now += 1000
      driver.failsAt.add('setItem')
      await codeOf(() => driver.store.set(KEY, recordOf({}), 60))
      driver.failsAt.delete('setItem')
      await driver.store.set(OTHER_KEY, recordOf({}), 60)
    }
    expect(lines).toHaveLength(2)
    now += 60_000
    driver.failsAt.add('setItem')
    await codeOf(() => driver.store.set(KEY, recordOf({}), 60))
    expect(lines).toHaveLength(3)
  })

  it('is one, whatever else fails meanwhile', async () => {
    const driver = new FailingDriver({ name: 'db' }, coded('ECONNREFUSED'))
    await codeOf(() => driver.store.get(KEY))
    driver.failure = coded('ECONNRESET')
    await codeOf(() => driver.store.set(KEY, recordOf({}), 60))
    driver.failsAt.delete('getItem')
    await driver.store.get(KEY)
    expect(lines).toEqual([expect.stringContaining('db: ECONNREFUSED at reading')])
    driver.failsAt.clear()
    await driver.store.set(KEY, recordOf({}), 60)
    expect(lines).toHaveLength(2)
  })
})

describe('an address', () => {
  const secret = fc.string({ unit: fc.constantFrom('S', '3', '@', ':', '/', '?', '#', '%', '.', ',', '\\', '\'', '"'), minLength: 4, maxLength: 10 }).map(text => `Zq${text}Zq`)

  it('shows the host or nothing, whatever name, password, path and query are made of', () => {
    fc.assert(fc.property(secret, secret, secret, secret, (name, password, path, query) => {
      for (const user of [`ada:${password}`, name, `${name}:${password}`])
        expect(['db.example:5432', undefined]).toContain(hostsOf(`db://${user}@db.example:5432/${path}?key=${query}`))
    }), { numRuns: 2000 })
  })

  it('is none where no scheme begins it: a connection string may have a key of slashes', () => {
    for (const text of ['AccountName=x;AccountKey=ab//Zq/ef==', 'Server=tcp:db,1433;Password=ab//Zq/x', 'a prefix//Zq/x', 'Zq//x'])
      expect(hostsOf(text)).toBeUndefined()
  })

  it('is there where the password is written as it should be', () => {
    fc.assert(fc.property(secret, (password) => {
      expect(hostsOf(`db://ada:${encodeURIComponent(password)}@db.example:5432/x`)).toBe('db.example:5432')
    }))
  })
})

describe('the error of a driver', () => {
  it('keeps neither the password nor the query of an address', async () => {
    const driver = httpDriver({ base: 'http://ada:secret@127.0.0.1:9/kv?token=secret' })
    const store = createMountedStore({ getMount: () => ({ base: '', driver }) }, { base: '', timeout: 5000 })
    const { cause } = await caught(() => store.get(KEY))
    const { message, stack, cause: deeper } = cause as Error
    expect(message).toContain('"http://127.0.0.1:9"')
    expect([message, stack, String(deeper), (deeper as Error).stack].join('\n')).not.toContain('secret')
  })

  it.each(['http://ada:secret@ho st/kv', 'http://ada:ab/secret@127.0.0.1:9', 'http://ada:ab\'secret@127.0.0.1:9', 'http://127.0.0.1:9/kv?token=\'secret\''])('keeps nothing secret of %s', async (base) => {
    const store = createMountedStore({ getMount: () => ({ base: '', driver: httpDriver({ base }) }) }, { base: '', timeout: 5000 })
    expect(inspect(await caught(() => store.get(KEY)), { depth: 9 })).not.toContain('secret')
  })

  it('tells where in the code it was thrown', async () => {
    const { store } = new FailingDriver({}, new Error('see db://ada:secret@db/x and nothing://?secret'))
    const { cause } = await caught(() => store.get(KEY))
    expect((cause as Error).message).toBe('see db://db and nothing://...')
    expect((cause as Error).stack).toContain('storage-notice.test.ts')
  })
})

describe('a cause', () => {
  it('is never the text of an error, however deep', () => {
    const loop: { cause?: unknown } = new Error('secret')
    loop.cause = loop
    for (const error of [loop, new Error('secret'), 'secret', undefined, { code: 'has a secret' }, Object.assign(new Error('secret'), { name: 'a secret' })])
      expect(causeOf(error)).toBe('an error')
    expect(causeOf(Object.assign(new Error('OOM command not allowed'), { name: 'ReplyError' }))).toBe('OOM')
  })
})
