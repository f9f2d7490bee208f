import type { SessionStore } from '../../src/core/types'
import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Driver } from '../../src/core/stores/driver'
import { createMountedStore, giveUpMount, type Mounts, openMount } from '../../src/core/stores/mounted'
import { caught, codeOf } from './support/errors'
import { KEY, OTHER_KEY, recordOf } from './support/store-contract'

const TIMEOUT = 1000

/** A client that tells of its connection as ioredis does, and answers nothing while it has none. */
class Client extends EventEmitter {
  status = 'connecting'
  calls: string[] = []
  options: object = { host: '127.0.0.1', port: 6379 }
  /** What the script is answered with, and a creation, while there is a connection. */
  reply: (command: string) => Promise<unknown> = async () => 1

  connect(): void {
    if (this.status === 'reconnecting')
      this.emit('connecting')
    this.status = 'ready'
    this.emit('ready')
  }

  /** One more try that came to nothing, or the end of a connection. */
  fail(error?: Error): void {
    if (this.status === 'reconnecting')
      this.emit('connecting')
    if (error)
      this.emit('error', error)
    this.status = 'close'
    this.emit('close')
    this.status = 'reconnecting'
  }

  ask(command: string): Promise<unknown> {
    this.calls.push(command)
    return this.status === 'ready' ? Promise.resolve(null) : new Promise(() => {})
  }

  /** Creates; other writes of this client are those of the driver. */
  set(): Promise<unknown> {
    return this.#run('set nx')
  }

  evalsha(): Promise<unknown> {
    return this.#run('evalsha')
  }

  eval(): Promise<unknown> {
    return this.#run('eval')
  }

  #run(command: string): Promise<unknown> {
    this.calls.push(command)
    return this.status === 'ready' ? this.reply(command) : new Promise(() => {})
  }
}

interface Setup {
  client: Client
  driver: Driver
  mounts: Mounts
  store: SessionStore
  open(): Promise<void>
}

function setUp(options: object = {}): Setup {
  const client = new Client()
  const driver: Driver = {
    name: 'redis',
    options,
    getInstance: () => client,
    getItem: () => client.ask('get'),
    setItem: () => client.ask('set'),
    removeItem: () => client.ask('unlink'),
  }
  const mounts: Mounts = { getMount: () => ({ base: '', driver }) }
  return { client, driver, mounts, store: createMountedStore(mounts, { base: '', timeout: TIMEOUT }), open: () => openMount(mounts, '') }
}

async function connected(): Promise<Setup> {
  const setup = setUp()
  await setup.open()
  setup.client.connect()
  return setup
}

const lines: string[] = []

beforeEach(() => {
  vi.useFakeTimers()
  lines.length = 0
  for (const method of ['error', 'warn', 'info'] as const)
    vi.spyOn(console, method).mockImplementation((line: string) => void lines.push(line))
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const refused = (): Error => Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6379'), { code: 'ECONNREFUSED' })

describe('a Redis that cannot be reached', () => {
  it.each(['get', 'set', 'delete', 'compareAndSet'] as const)('is not waited for by `%s` once it has been away for as long as an operation may take', async (method) => {
    const { client, store } = await connected()
    client.fail()
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    const act = { get: () => store.get(KEY), set: () => store.set(KEY, recordOf({}), 60), delete: () => store.delete(KEY), compareAndSet: () => store.compareAndSet!(KEY, undefined, recordOf({}), 60) }
    expect([await codeOf(act[method]), client.calls]).toEqual(['STORAGE_ERROR', []])
  })

  it('is waited for while it may be back in a moment, and no longer', async () => {
    const { client, store } = await connected()
    client.fail()
    await vi.advanceTimersByTimeAsync(0.9 * TIMEOUT)
    const code = codeOf(() => store.get(KEY))
    await vi.advanceTimersByTimeAsync(0.1 * TIMEOUT)
    expect([await code, client.calls]).toEqual(['STORAGE_ERROR', ['get']])
  })

  it('is waited for at the start too', async () => {
    const { client, store, open } = setUp()
    await open()
    client.fail(refused())
    const code = codeOf(() => store.get(KEY))
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    expect(await code).toBe('STORAGE_ERROR')
    expect(await codeOf(() => store.get(OTHER_KEY))).toBe('STORAGE_ERROR')
    expect(client.calls).toEqual(['get'])
  })

  it('is asked again as soon as it is there', async () => {
    const { client, store } = await connected()
    client.fail()
    await vi.advanceTimersByTimeAsync(10 * TIMEOUT)
    await codeOf(() => store.get(KEY))
    client.connect()
    expect([await store.get(KEY), client.calls]).toEqual([undefined, ['get']])
  })

  it('is asked when another client takes the place of one that was ended', async () => {
    const [first, second] = [setUp(), setUp()]
    let { driver } = first
    const mounts: Mounts = { getMount: () => ({ base: '', driver }) }
    const store = createMountedStore(mounts, { base: '', timeout: TIMEOUT })
    await openMount(mounts, '')
    first.client.connect()
    first.client.fail()
    await vi.advanceTimersByTimeAsync(10 * TIMEOUT)
    expect(await codeOf(() => store.get(KEY))).toBe('STORAGE_ERROR')
    driver = second.driver
    second.client.status = 'ready'
    expect([await store.get(KEY), second.client.calls]).toEqual([undefined, ['get']])
  })

  it('is told of once, with where it is, why, what visitors see and what to do', async () => {
    const { client, store, open } = setUp()
    await open()
    for (let tries = 0; tries < 20; tries++)
      client.fail(refused())
    await vi.advanceTimersByTimeAsync(10 * TIMEOUT)
    await codeOf(() => store.get(KEY))
    expect(lines).toEqual(['[unsession] The session storage is away: redis at 127.0.0.1:6379 (ECONNREFUSED). Requests that use a session are answered with 503, all others work. Check that it runs and can be reached there; it is asked again by itself, and no restart is needed.'])
  })

  it('is told of again when that changes: away, back, away', async () => {
    const { client } = await connected()
    for (let round = 0; round < 2; round++) {
      client.fail(refused())
      client.fail(refused())
      client.connect()
    }
    expect(lines.map(line => line.slice(0, 45))).toEqual(Array.from({ length: 2 }, () => ['[unsession] The session storage is away: redi', '[unsession] The session storage is back: redi']).flat())
  })

  it('is told of when the next try does not mend it', async () => {
    const { client } = await connected()
    client.fail(refused())
    client.connect()
    client.fail(refused())
    client.connect()
    expect(lines).toEqual([])
    client.fail(refused())
    client.fail(refused())
    expect(lines).toHaveLength(1)
  })

  it('is told of again when it refuses for another reason, once', async () => {
    const { client } = await connected()
    for (const error of [refused(), refused(), new Error('WRONGPASS invalid username-password pair'), refused(), new Error('WRONGPASS invalid username-password pair')])
      client.fail(error)
    expect(lines.map(line => /\(([^)]*)\)/.exec(line)?.[1])).toEqual(['ECONNREFUSED', 'WRONGPASS invalid username-password pair'])
  })

  it('is told of without what may hold a password', async () => {
    const { client } = await connected()
    client.fail()
    for (let tries = 0; tries < 3; tries++)
      client.fail(new Error('Invalid URL redis://ada:secret@127.0.0.1'))
    expect(lines).toEqual([expect.stringContaining('(no connection)')])
  })

  it('is told of at its first use, where it connects then only', async () => {
    const { client, store, open } = setUp()
    client.status = 'wait'
    await open()
    await vi.advanceTimersByTimeAsync(10 * TIMEOUT)
    expect(lines).toEqual([])
    const code = codeOf(() => store.get(KEY))
    client.fail(refused())
    client.fail(refused())
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    expect([await code, lines.length]).toEqual(['STORAGE_ERROR', 1])
  })

  it('is told of although the app listens for errors itself, and the app hears all of them', async () => {
    const { client } = await connected()
    const heard: unknown[] = []
    client.on('error', error => heard.push(error))
    for (let tries = 0; tries < 3; tries++)
      client.fail(refused())
    expect([heard.length, lines.length]).toEqual([3, 1])
  })

  it('is told of in its own words when it is there and something is wrong all the same', async () => {
    const { client } = await connected()
    client.fail(refused())
    client.status = 'connecting'
    client.emit('connecting')
    client.emit('error', new Error('ERR DB index is out of range'))
    client.connect()
    client.emit('error', new Error('ERR something else'))
    client.emit('error', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
    expect(lines).toEqual(['ERR DB index is out of range', 'ERR something else'].map(what => `[unsession] The session storage is in trouble: redis at 127.0.0.1:6379: ${what}`))
  })

  it('that is connected and silent is told of once, and once when it answers', async () => {
    const { client, store } = await connected()
    client.status = 'paused'
    for (const key of ['a', 'b', 'c', 'd']) {
      const code = codeOf(() => store.get(key.repeat(64)))
      await vi.advanceTimersByTimeAsync(TIMEOUT)
      expect(await code).toBe('STORAGE_ERROR')
    }
    client.status = 'ready'
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    await store.get(KEY)
    expect(lines).toEqual([expect.stringContaining('(no answer within 1000 ms)'), '[unsession] The session storage is back: redis at 127.0.0.1:6379.'])
  })
})

it.each([
  ['lets go of a Redis that is away', 1],
  ['leaves the connection of the app alone', 0],
])('a store of a server that ends %s', async (_, disconnects) => {
  const { client, mounts } = await connected()
  const disconnect = Object.assign(client, { disconnect: vi.fn<() => void>() }).disconnect
  if (disconnects > 0)
    client.fail()
  giveUpMount(mounts, '')
  expect(disconnect).toHaveBeenCalledTimes(disconnects)
})

describe('the address of a Redis', () => {
  it.each<[where: string, client: object, driver: object, expected: string]>([
    ['a host and a port', { host: 'cache', port: 6380, username: 'ada', password: 'secret' }, {}, 'cache:6380'],
    ['nothing', {}, {}, '127.0.0.1:6379'],
    ['a url, as the client read it', { host: '10.0.0.1', port: 7000 }, { url: 'redis://ada:secret@10.0.0.1:7000' }, '10.0.0.1:7000'],
    ['a socket', { path: '/run/redis.sock', host: 'localhost', port: 6379 }, {}, '/run/redis.sock'],
    ['sentinels', { sentinels: [{ host: 'a', port: 1 }, { host: 'b', port: 2 }], host: 'localhost', port: 6379 }, {}, 'a:1, b:2'],
    ['a cluster of addresses', {}, { cluster: [{ host: 'a', port: 1, password: 'secret' }, { port: 2 }] }, 'a:1, 127.0.0.1:2'],
    ['a cluster of ports', {}, { cluster: [7000, '7001'] }, '127.0.0.1:7000, 127.0.0.1:7001'],
    ['IPv6', { host: '::1', port: 6380 }, {}, '[::1]:6380'],
    ['sentinels of IPv6', { sentinels: [{ host: 'fd00::1', port: 1 }] }, {}, '[fd00::1]:1'],
    ['a cluster of urls with queries', {}, { cluster: ['redis://a:1?password=secret', 'redis://:secret@[::1]:2/0?family=6', 'redis://ada:se/cret@b:3'] }, 'a:1, [::1]:2, a node of the cluster'],
    ['a cluster of urls', {}, { cluster: ['redis://ada:secret@a:1/0', 'rediss://:se@cret@b:2', 'c:3'] }, 'a:1, b:2, c:3'],
  ])('is that of %s, without names and passwords', async (_, clientOptions, driverOptions, expected) => {
    const { client, open } = setUp(driverOptions)
    client.options = clientOptions
    await open()
    client.fail()
    client.fail()
    expect(lines).toEqual([expect.stringContaining(`redis at ${expected} (`)])
  })
})

it('many stores over one driver listen to its client once', async () => {
  const { client, driver } = setUp()
  const count = (): number => client.eventNames().reduce((sum, name) => sum + client.listenerCount(name), 0)
  const open = async (): Promise<unknown> => {
    const store = createMountedStore({ getMount: () => ({ base: '', driver }) }, { base: '', timeout: TIMEOUT })
    return store.dropsExpired!()
  }
  await open()
  const before = count()
  await Promise.all(Array.from({ length: 100 }, open))
  expect(count()).toBe(before)
})

class ReplyError extends Error {
  override name = 'ReplyError'
}

describe('a Redis that refuses scripts', () => {
  const REFUSALS = [
    'NOPERM this user has no permissions to run the \'eval\' command',
    'NOPERM User app has no permissions to run the \'eval\' command',
    'ERR unknown command \'eval\', with args beginning with: \'return\'',
    'ERR unknown command `EVAL`, with args beginning with: ',
    'ERR The user executing the script can\'t run this command or subcommand script: 753f',
    'ERR ACL failure in script: User app has no permissions to run the \'getrange\' command',
    'unsupported command \'eval\'',
  ]

  const REFUSED = ['evalsha', 'eval', 'get', 'set']

  /** With a record of the revision `one`. */
  async function holding(): Promise<Setup> {
    const setup = await connected()
    setup.driver.getItem = () => setup.client.ask('get').then(() => JSON.stringify(recordOf({})))
    return setup
  }

  const change = async (store: SessionStore): Promise<boolean> => store.compareAndSet!(KEY, 'one', recordOf({}), 60)

  it.each(REFUSALS)('is asked without: %s', async (message) => {
    const { client, store } = await holding()
    client.reply = () => Promise.reject(new ReplyError(message))
    expect(await change(store)).toBe(true)
    expect(await store.compareAndSet!(KEY, 'two', recordOf({}), 60)).toBe(false)
    expect(client.calls).toEqual(['evalsha', 'eval', 'get', 'set', 'get'])
  })

  it('is told of once, with the command, what follows and what to allow', async () => {
    const { client, store } = await holding()
    client.reply = () => Promise.reject(new ReplyError(REFUSALS[2]!))
    for (let write = 0; write < 5; write++)
      await change(store)
    expect(lines).toEqual([expect.stringMatching(/^\[unsession\] Redis refuses the command EVAL: "ERR unknown command 'eval'"\..*several processes.*ACL SETUSER <user> \+eval/)])
  })

  it('is asked with one again a minute later, and told of when it runs', async () => {
    const { client, store } = await holding()
    client.reply = () => Promise.reject(new ReplyError(REFUSALS[0]!))
    await change(store)
    await vi.advanceTimersByTimeAsync(60_000)
    await change(store)
    expect([client.calls, lines.length]).toEqual([[...REFUSED, ...REFUSED], 1])
    client.reply = async () => 1
    await vi.advanceTimersByTimeAsync(60_000)
    client.calls.length = 0
    await change(store)
    await change(store)
    expect([client.calls, lines.slice(1)]).toEqual([['evalsha', 'evalsha'], ['[unsession] Redis runs the command EVAL again.']])
  })

  it.each([
    'OOM command not allowed when used memory > \'maxmemory\'.',
    'READONLY You can\'t write against a read only replica.',
    'LOADING Redis is loading the dataset in memory',
    'BUSY Redis is busy running a script.',
    'WRONGTYPE Operation against a key holding the wrong kind of value',
    'MISCONF Redis is configured to save RDB snapshots',
    'CLUSTERDOWN The cluster is down',
    'NOREPLICAS Not enough good replicas to write.',
  ])('is not what this says: %s', async (message) => {
    const { client, store } = await holding()
    client.reply = () => Promise.reject(new ReplyError(message))
    expect(await caught(() => change(store))).toMatchObject({ code: 'STORAGE_ERROR', cause: expect.objectContaining({ message }) })
    const [code] = message.split(' ')
    expect([client.calls, lines]).toEqual([['evalsha', 'eval'], [expect.stringContaining(`in trouble: redis at 127.0.0.1:6379: ${code} at writing records. `)]])
  })

  it('is not a connection that broke', async () => {
    const { client, store } = await holding()
    client.reply = () => Promise.reject(new Error('Connection is closed.'))
    expect(await codeOf(() => change(store))).toBe('STORAGE_ERROR')
    expect([client.calls, lines]).toEqual([['evalsha'], []])
  })

  it('is not one that refuses to be read as well', async () => {
    const { client, driver, store } = await holding()
    client.reply = () => Promise.reject(new ReplyError('NOPERM this user has no permissions to access one of the keys used as arguments'))
    driver.getItem = () => Promise.reject(new ReplyError('NOPERM this user has no permissions to access one of the keys used as arguments'))
    expect(await codeOf(() => change(store))).toBe('STORAGE_ERROR')
    expect(lines).toEqual([expect.stringMatching(/in trouble: redis at 127\.0\.0\.1:6379: NOPERM at writing records\. .*Check the user, the password or the token/)])
  })

  it('creates records all the same', async () => {
    const { client, store } = await connected()
    expect(await store.compareAndSet!(KEY, undefined, recordOf({}), 60)).toBe(true)
    client.reply = async () => null
    expect(await store.compareAndSet!(KEY, undefined, recordOf({}), 60)).toBe(false)
    expect([client.calls, lines]).toEqual([['set nx', 'set nx'], []])
  })

  it.each(['NOPERM this user has no permissions to run the \'evalsha\' command', 'ERR unknown command \'evalsha\', with args beginning with: \'32b9\''])('by their digest only is given their text each time: %s', async (message) => {
    const { client, store } = await holding()
    client.reply = async (command) => {
      if (command === 'evalsha')
        throw new ReplyError(message)
      return 1
    }
    expect([await change(store), await change(store)]).toEqual([true, true])
    expect([client.calls, lines]).toEqual([['evalsha', 'eval', 'evalsha', 'eval'], []])
  })

  it('of which it does not know the digest is given their text once', async () => {
    const { client, store } = await holding()
    let isKnown = false
    client.reply = async (command) => {
      if (command === 'evalsha' && !isKnown)
        throw new ReplyError('NOSCRIPT No matching script. Please use EVAL.')
      isKnown = true
      return 1
    }
    expect([await change(store), await change(store)]).toEqual([true, true])
    expect([client.calls, lines]).toEqual([['evalsha', 'eval', 'evalsha'], []])
  })
})

describe('an error of a client', () => {
  it.each<[what: string, error: object]>([
    ['a command', Object.assign(new Error('EIO'), { command: { name: 'set', args: ['key', 'secret data'] } })],
    ['a command of a node of a cluster', Object.assign(new Error('EIO'), { lastNodeError: Object.assign(new Error('MOVED'), { command: { args: ['secret data'] } }) })],
    ['a command in its text', new Error('EIO, command was: ["set","key","secret data"]')],
  ])('is the cause without %s', async (_, error) => {
    const { client, store } = await connected()
    client.reply = () => Promise.reject(error)
    const { cause } = await caught(() => store.compareAndSet!(KEY, undefined, recordOf({}), 60))
    const { message, stack, ...rest } = cause as Error & Record<string, unknown>
    expect(JSON.stringify([message, stack, rest, (rest.lastNodeError as { command?: unknown } | undefined)?.command])).not.toContain('secret data')
    expect(cause).toMatchObject({ message: 'EIO' })
  })
})
