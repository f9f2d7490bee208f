import type { Browser } from 'playwright-core'
import type { RunningServer } from '../support/nitro'
import type { RecordingProxy } from './support/recording-proxy'
import type { Wanderer } from './support/wanderers'
import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COOKIE } from '../support/browser'
import { hasChromium, launchChromium } from '../support/chromium'
import { collectComplaints } from '../support/complaints'
import { startServer } from '../support/nitro'
import { digest } from '../support/output'
import { buildNuxt } from '../support/nuxt'
import { createRandom } from '../unit/support/random'
import { createCanary, LeakJudge } from './support/leak-judge'
import { startRecordingProxy } from './support/recording-proxy'
import { BrowserWanderer, KINDS, PlainWanderer, ViewLog } from './support/wanderers'

const SEED = Number(process.env.HAMMER_SEED ?? randomInt(2 ** 31))
const VIEWS = 1000
/** Up to here a loaded machine; not a claim about speed. */
const PATIENCE_MS = 1_800_000

/** What goes to anybody, and may hold nothing of anyone. */
const isShared = (path: string): boolean => /^\/(?:cached|swr|isr|prerendered|spa|rule|api\/(?:news|greedy))(?:\/|$)/.test(path)

/** A site with a judge who sees every byte that its visitors get. */
class Site {
  readonly judge = new LeakJudge({ isShared })
  readonly log = new ViewLog()
  readonly dir: string
  readonly #server: RunningServer
  readonly #proxies: RecordingProxy[] = []
  readonly #complaints: string[][] = []
  /** What the server failed to answer, but for the route that it refuses always. */
  readonly failures: string[] = []

  private constructor(server: RunningServer, dir: string) {
    this.#server = server
    this.dir = dir
  }

  static async open(env: Record<string, string> = {}): Promise<Site> {
    const dir = await mkdtemp(join(tmpdir(), 'unsession-caches-'))
    return new Site(await startServer(await buildNuxt('nuxt-caches'), env, dir), dir)
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map(proxy => proxy.close()))
    await this.#server.stop()
    await rm(this.dir, { recursive: true, force: true })
  }

  async invitePlain(name: string): Promise<Wanderer> {
    return new PlainWanderer(name, await this.#addressFor(name, 500), this.judge, this.log)
  }

  async inviteBrowser(name: string, browser: Browser): Promise<Wanderer> {
    const context = await browser.newContext({ baseURL: await this.#addressFor(name, 400), viewport: { width: 320, height: 240 } })
    this.#complaints.push(collectComplaints(context))
    return BrowserWanderer.start(name, context, this.judge, this.log)
  }

  /** What the browsers found wrong. */
  get complaints(): string[] {
    return this.#complaints.flat()
  }

  /** For whoever looks for the cause: what the server printed, and last what was seen of it. */
  get story(): string {
    return [digest(this.#server.output()), ...this.failures, ...this.complaints, `HAMMER_SEED=${SEED}`].join('\n')
  }

  /** Reads all that is in the cache of the server; answers how much that is. */
  async examineCache(): Promise<number> {
    const response = await fetch(`${this.#server.url}/api/kept`)
    const entries = await response.json() as { key: string, value: unknown }[]
    for (const { key, value } of entries)
      this.judge.examineShared(`cache ${key}`, JSON.stringify(value))
    return entries.length
  }

  /** @param bad the lowest status that the visitor should not meet */
  async #addressFor(name: string, bad: number): Promise<string> {
    const proxy = await startRecordingProxy(this.#server.url, (answer) => {
      this.judge.examine(name, answer)
      if (answer.status >= bad && answer.path !== '/api/greedy')
        this.failures.push(`${name}: ${answer.status} ${answer.path} ${answer.body}`)
    }, (path, error) => this.failures.push(`${name}: no answer to ${path}: ${error}`))
    this.#proxies.push(proxy)
    return proxy.url
  }
}

/** All go their ways at once, each with a companion if there is one. */
async function wander(wanderers: Wanderer[], views: number, companions: Wanderer[] = []): Promise<void> {
  await Promise.all(wanderers.map(async (wanderer, index) => {
    const random = createRandom(SEED + index)
    const companionRandom = createRandom(SEED - 1 - index)
    for (let view = 0; view < views / wanderers.length; view++)
      await Promise.all([wanderer.step(random), companions[index]?.step(companionRandom)])
  }))
}

describe.runIf(hasChromium())('Alice and Bob in two browsers, Carol and Dave without JavaScript', () => {
  let site: Site
  let browser: Browser
  beforeAll(async () => {
    site = await Site.open()
    browser = await launchChromium()
    const inBrowsers = await Promise.all(['alice', 'bob'].map(name => site.inviteBrowser(name, browser)))
    const plain = await Promise.all(['carol', 'dave'].map(name => site.invitePlain(name)))
    await wander(inBrowsers, VIEWS, plain)
  }, PATIENCE_MS)
  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })

  it('always show what is theirs, and are never sent a byte of another', () => {
    expect(site.judge.findings, `HAMMER_SEED=${SEED}`).toEqual([])
  })

  it('have nothing to complain of in their consoles', () => {
    expect(site.complaints, site.story).toEqual([])
    expect(site.failures, site.story).toEqual([])
  })

  it('leave nothing of anyone in the cache of the server', async () => {
    expect(await site.examineCache()).toBeGreaterThan(0)
    expect(site.judge.findings).toEqual([])
  })

  it('looked at pages of every kind', () => {
    expect(site.log.count).toBeGreaterThan(VIEWS)
    expect(KINDS.filter(kind => site.log.of(kind).views < VIEWS / 10)).toEqual([])
  })

  it.each(['cached', 'swr'])('were sent the same renderings of %s pages, and new ones in time', (kind) => {
    const { views, renderings, shared } = site.log.of(kind)
    expect(renderings).toBeGreaterThan(1)
    expect(renderings).toBeLessThan(views)
    expect(shared).toBeGreaterThan(1)
  })
})

describe('the judge of these visits', () => {
  const leaks = [
    ['variable', /^200 \/api\/own|^200 \/dynamic\/\d: (?<one>carol|dave) was sent the own of (?!\k<one>)(?:carol|dave)$/],
    ['html', /^200 \/(?:cached|swr)\/\d: the user of (?:carol|dave) in an answer for anybody$/],
    ['header', /header x-last-visitor: (?<one>carol|dave) was sent the user of (?!\k<one>)(?:carol|dave)$/],
    ['cookie', /^200 \/swr\/\d: a cookie in an answer for anybody$/],
    ['hidden', /^200 \/(?:api\/own|dynamic\/\d): (?:carol|dave) was sent what nobody asked for$/],
  ] as const

  it.each(leaks)('finds a leak that is there on purpose: %s', async (leak, finding) => {
    const site = await Site.open({ PLANTED_LEAK: leak })
    try {
      const wanderers = await Promise.all(['carol', 'dave'].map(name => site.invitePlain(name)))
      // A page that is kept for a while shows a leak when it is rendered anew.
      for (let round = 0; round < 10 && !site.judge.findings.some(text => finding.test(text)); round++)
        await wander(wanderers, 100)
      expect(site.judge.findings).toContainEqual(expect.stringMatching(finding))
    }
    finally {
      await site.close()
    }
  })

  it('finds what is cut off, in another encoding, or on its way to a page', () => {
    const judge = new LeakJudge({ isShared })
    const examine = (body: string, headers: [string, string][] = []): void => judge.examine('bob', { path: '/dynamic/1?a', status: 200, headers, body: Buffer.from(body) })
    const token = 'abcdefghijklmnopqrstuvwx'
    judge.examine('alice', { path: '/', status: 200, headers: [['Set-Cookie', `${COOKIE}=${token}.signature; Path=/`]], body: Buffer.from('') })
    examine(`[{"data":1},"${createCanary('bob', 'user')}"]`)
    expect(judge.findings).toEqual([])
    examine(createCanary('alice', 'user').slice(0, 14))
    examine(Buffer.from(`user=${createCanary('alice', 'own')}`).toString('base64'))
    examine('', [['location', `/welcome/${createCanary('alice', 'message')}`]])
    examine(`see ${token}`)
    expect(judge.findings).toHaveLength(4)
  })
})
