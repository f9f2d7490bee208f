import type { NitroConfig } from 'nitropack/types'
import type { Script } from '../support/scripts'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildNitro } from '../support/nitro'
import { gzippedSize, scriptsIn } from '../support/scripts'

const KILOBYTE = 1000

/** A worker as it is without any compatibility flag: there is no `node:crypto`. */
const WORKER: NitroConfig = { preset: 'cloudflare-module', cloudflare: { nodeCompat: false, deployConfig: false } }

/** A server of ours, and what it is compared with. */
interface Server {
  host: NitroConfig
  session: NonNullable<NitroConfig['session']>
  /** The host without us; with the same driver, where that is not to be counted. */
  bare?: NitroConfig
}

const KV = { driver: 'cloudflare-kv-binding', binding: 'SESSIONS' } as const
const FILES: Server = { host: {}, session: {} }

const SERVERS: (Server & { title: string, kilobytes: number })[] = [
  { title: 'a Node server with files', host: {}, session: {}, kilobytes: 40.3 },
  { title: 'a Node server with a driver in memory', host: {}, session: { storage: { driver: 'memory' } }, kilobytes: 39.4 },
  { title: 'a Node server in cookie mode', host: {}, session: { mode: 'cookie' }, kilobytes: 32.1 },
  { title: 'a worker in cookie mode', host: WORKER, session: { mode: 'cookie' }, kilobytes: 34.2 },
  // With the driver, which is a part of unstorage.
  { title: 'a worker with Workers KV', host: WORKER, session: { storage: KV }, kilobytes: 41.3 },
]

/** Words that no minifier changes, of code that not every host can run. */
const WORDS = {
  'cryptography in JavaScript': 'hash was destroyed',
  'the store of files': '.lock',
  'the script for Redis': 'GETRANGE',
  'what makes a response of Node wait': 'content-disposition',
  'records in storage': 'got another id meanwhile',
  'tracing channels': 'unsession:reject',
}

/** What apps can do without: two servers, of which only the one holds it, as its config says. */
const PARTS: { part: string, word: string, needed: Server, unneeded: Server, kilobytes: number }[] = [
  { part: 'sessions of other packages', word: 'migrated:', needed: { host: {}, session: { migrate: { from: 'h3' } } }, unneeded: FILES, kilobytes: 3.1 },
  { part: 'WebSockets', word: 'An open WebSocket cannot', needed: { host: { experimental: { websocket: true } }, session: {} }, unneeded: FILES, kilobytes: 1.5 },
  // Nitro keeps the names of functions. The one driver is in every server, the other is not.
  { part: 'clean-up', word: 'provideCleanup', needed: { host: WORKER, session: { storage: { driver: 'memory' } } }, unneeded: { host: WORKER, session: { storage: KV }, bare: { ...WORKER, storage: { kv: KV } } }, kilobytes: 0.8 },
  { part: 'pages', word: 'sec-fetch-dest', needed: { host: { framework: { name: 'nuxt' } }, session: {} }, unneeded: FILES, kilobytes: 1.7 },
  { part: 'HTTP/2', word: 'respondWithFD', needed: { host: { preset: 'node-listener' }, session: {} }, unneeded: FILES, kilobytes: 1.2 },
]

const builds = new Map<string, Promise<Script[]>>()

/** Everything that belongs to the server, also what was copied beside it from node_modules. Builds once. */
function serverScripts(fixture: string, config: NitroConfig): Promise<Script[]> {
  const key = JSON.stringify([fixture, config])
  const scripts = builds.get(key) ?? buildScripts(fixture, config)
  builds.set(key, scripts)
  return scripts
}

async function buildScripts(fixture: string, config: NitroConfig): Promise<Script[]> {
  const built = await buildNitro(fixture, { minify: true, sourceMap: false, ...config })
  try {
    return await scriptsIn(join(built.outputDir, 'server'))
  }
  finally {
    await built.remove()
  }
}

/** All that a server holds because of us, and how much more that is. */
async function addedTo({ host, session, bare = host }: Server): Promise<{ withUs: Script[], withoutUs: Script[], bytes: number }> {
  const withUs = await serverScripts('nitro-size/with', { ...host, session })
  const withoutUs = await serverScripts('nitro-size/without', bare)
  return { withUs, withoutUs, bytes: gzippedSize(withUs) - gzippedSize(withoutUs) }
}

const includes = (scripts: readonly Script[], word: string): boolean => scripts.some(({ text }) => text.includes(word))

/**
 * Two production builds of one small app: its route uses every util in the one, and answers
 * plainly in the other. The difference is all that a server holds because of us: our code, the
 * libraries, the driver, and what else of Nitro it needs. The parts are compressed one by one,
 * which gives the most that they can be: a worker is uploaded, and a server shipped, as one.
 */
describe.each(SERVERS)('what is added to $title', ({ title, kilobytes, ...server }) => {
  it(`is less than ${kilobytes} kB, minified and gzipped`, async () => {
    const { bytes } = await addedTo(server)
    console.info(`This package adds to ${title}: ${bytes} bytes, gzipped.`)
    // Less would mean that the build had left most of us out.
    expect(bytes).toBeGreaterThan(10 * KILOBYTE)
    expect(bytes).toBeLessThan(kilobytes * KILOBYTE)
  })

  it('is minified with the server: no package lies beside it', async () => {
    const { withUs, withoutUs } = await addedTo(server)
    const packages = (scripts: Script[]): string[] => scripts.map(({ name }) => name).filter(name => name.includes('node_modules'))
    expect(packages(withUs)).toEqual(packages(withoutUs))
  })
})

describe.each(PARTS)('an optional part: $part', ({ part, word, needed, unneeded, kilobytes }) => {
  it('is in the server that needs it, and costs the other nothing', async () => {
    const [withPart, without] = [await addedTo(needed), await addedTo(unneeded)]
    const difference = withPart.bytes - without.bytes
    console.info(`An optional part, ${part}: ${difference} bytes, gzipped.`)
    expect([includes(withPart.withUs, word), includes(without.withUs, word)]).toEqual([true, false])
    expect(difference).toBeGreaterThan(0)
    expect(difference).toBeLessThan(kilobytes * KILOBYTE)
  })
})

describe('what is for development', () => {
  it('is in no server: neither its page nor its explanations', async () => {
    const { withUs } = await addedTo(FILES)
    expect(['__unsession__', 'DNS rebinding', 'of a session is read-only'].filter(word => includes(withUs, word))).toEqual([])
  })
})

describe.each([
  { host: 'a Node server', config: { session: {} }, expected: { 'cryptography in JavaScript': false, 'the store of files': true, 'the script for Redis': false, 'what makes a response of Node wait': true, 'records in storage': true, 'tracing channels': true } },
  { host: 'a worker in cookie mode', config: { ...WORKER, session: { mode: 'cookie' } }, expected: { 'cryptography in JavaScript': true, 'the store of files': false, 'the script for Redis': false, 'what makes a response of Node wait': false, 'records in storage': false, 'tracing channels': false } },
  { host: 'a worker with Workers KV', config: { ...WORKER, session: { storage: KV } }, expected: { 'cryptography in JavaScript': true, 'the store of files': false, 'the script for Redis': false, 'what makes a response of Node wait': false, 'records in storage': true, 'tracing channels': false } },
  { host: 'a Node server with Redis', config: { session: { storage: { driver: 'redis' } } }, expected: { 'cryptography in JavaScript': false, 'the store of files': false, 'the script for Redis': true, 'what makes a response of Node wait': true, 'records in storage': true, 'tracing channels': true } },
  { host: 'a Node server with a mount of the app', config: { session: {}, storage: { session: { driver: 'redis' } } }, expected: { 'cryptography in JavaScript': false, 'the store of files': true, 'the script for Redis': true, 'what makes a response of Node wait': true, 'records in storage': true, 'tracing channels': true } },
  { host: 'a Node server with a driver of its own', config: { session: {}, storage: { session: { driver: 'unstorage/drivers/memory' } } }, expected: { 'cryptography in JavaScript': false, 'the store of files': true, 'the script for Redis': true, 'what makes a response of Node wait': true, 'records in storage': true, 'tracing channels': true } },
  { host: 'a server for a host that may be either', config: { preset: 'bun' }, expected: { 'cryptography in JavaScript': true, 'the store of files': true, 'the script for Redis': false, 'what makes a response of Node wait': true, 'records in storage': true, 'tracing channels': true } },
] as const)('$host', ({ config, expected }) => {
  it('holds what its host can run, and nothing else', async () => {
    const scripts = await serverScripts('nitro-size/with', config as NitroConfig)
    expect(Object.fromEntries(Object.entries(WORDS).map(([part, word]) => [part, includes(scripts, word)]))).toEqual(expected)
  })
})
