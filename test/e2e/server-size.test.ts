import type { NitroConfig } from 'nitropack/types'
import type { Script } from '../support/scripts'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildNitro } from '../support/nitro'
import { gzippedSize, scriptsIn } from '../support/scripts'

const KILOBYTE = 1000

/** A worker as it is without any compatibility flag: there is no `node:crypto`. */
const WORKER: NitroConfig = { preset: 'cloudflare-module', cloudflare: { nodeCompat: false, deployConfig: false } }

const SERVERS: { title: string, host: NitroConfig, session: NitroConfig['session'], kilobytes: number }[] = [
  { title: 'a Node server with files', host: {}, session: {}, kilobytes: 37.6 },
  { title: 'a Node server with a driver in memory', host: {}, session: { storage: { driver: 'memory' } }, kilobytes: 36.6 },
  { title: 'a Node server in cookie mode', host: {}, session: { mode: 'cookie' }, kilobytes: 31.1 },
  { title: 'a worker in cookie mode', host: WORKER, session: { mode: 'cookie' }, kilobytes: 34 },
  // With the driver, which is a part of unstorage.
  { title: 'a worker with Workers KV', host: WORKER, session: { storage: { driver: 'cloudflare-kv-binding', binding: 'SESSIONS' } }, kilobytes: 39.8 },
]

/** Words that no minifier changes, of code that not every host can run. */
const WORDS = {
  'cryptography in JavaScript': 'hash was destroyed',
  'the store of files': '.lock',
  'the script for Redis': 'GETRANGE',
  'what makes a response of Node wait': 'content-disposition',
  'records in storage': 'got another id meanwhile',
}

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

/**
 * Two production builds of one small app: its route uses every util in the one, and answers
 * plainly in the other. The difference is all that a server holds because of us: our code, the
 * libraries, the driver, and what else of Nitro it needs. The parts are compressed one by one,
 * which gives the most that they can be: a worker is uploaded, and a server shipped, as one.
 */
describe.each(SERVERS)('what is added to $title', ({ title, host, session, kilobytes }) => {
  let withUs: Script[]
  let withoutUs: Script[]
  beforeAll(async () => {
    withUs = await serverScripts('nitro-size/with', { ...host, session })
    withoutUs = await serverScripts('nitro-size/without', host)
  })

  it(`is less than ${kilobytes} kB, minified and gzipped`, () => {
    const difference = gzippedSize(withUs) - gzippedSize(withoutUs)
    console.info(`This package adds to ${title}: ${difference} bytes, gzipped.`)
    // Less would mean that the build had left most of us out.
    expect(difference).toBeGreaterThan(10 * KILOBYTE)
    expect(difference).toBeLessThan(kilobytes * KILOBYTE)
  })

  it('is minified with the server: no package lies beside it', () => {
    const packages = (scripts: Script[]): string[] => scripts.map(({ name }) => name).filter(name => name.includes('node_modules'))
    expect(packages(withUs)).toEqual(packages(withoutUs))
  })
})

describe.each([
  { host: 'a Node server', config: { session: {} }, expected: { 'cryptography in JavaScript': false, 'the store of files': true, 'the script for Redis': false, 'what makes a response of Node wait': true, 'records in storage': true } },
  { host: 'a worker in cookie mode', config: { ...WORKER, session: { mode: 'cookie' } }, expected: { 'cryptography in JavaScript': true, 'the store of files': false, 'the script for Redis': false, 'what makes a response of Node wait': false, 'records in storage': false } },
  { host: 'a Node server with Redis', config: { session: { storage: { driver: 'redis' } } }, expected: { 'cryptography in JavaScript': false, 'the store of files': false, 'the script for Redis': true, 'what makes a response of Node wait': true, 'records in storage': true } },
  { host: 'a Node server with a mount of the app', config: { session: {}, storage: { session: { driver: 'redis' } } }, expected: { 'cryptography in JavaScript': false, 'the store of files': true, 'the script for Redis': true, 'what makes a response of Node wait': true, 'records in storage': true } },
  { host: 'a Node server with a driver of its own', config: { session: {}, storage: { session: { driver: 'unstorage/drivers/memory' } } }, expected: { 'cryptography in JavaScript': false, 'the store of files': true, 'the script for Redis': true, 'what makes a response of Node wait': true, 'records in storage': true } },
  { host: 'a server for a host that may be either', config: { preset: 'bun' }, expected: { 'cryptography in JavaScript': true, 'the store of files': true, 'the script for Redis': false, 'what makes a response of Node wait': true, 'records in storage': true } },
] as const)('$host', ({ config, expected }) => {
  it('holds what its host can run, and nothing else', async () => {
    const texts = (await serverScripts('nitro-size/with', config as NitroConfig)).map(({ text }) => text)
    expect(Object.fromEntries(Object.entries(WORDS).map(([part, word]) => [part, texts.some(text => text.includes(word))]))).toEqual(expected)
  })
})
