import type { Browser, BrowserContext, Page, Request } from 'playwright-core'
import type { RunningServer } from '../../support/nitro'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { createVisitor, type Visitor } from '../../support/browser'
import { launchChromium } from '../../support/chromium'
import { collectComplaints } from '../../support/complaints'
import { startServer } from '../../support/nitro'
import { buildNuxt } from '../../support/nuxt'

/** In every session that the fixture makes, under a key that is not exposed. */
export const CANARY = 'canary-4f1c9a7e-never-leaves-the-server'

/** What our route says of the time that is left to a session. */
export const LASTING = { expiresAt: expect.any(Number), expiresIn: expect.any(Number) }

export const MODES = ['storage', 'cookie'] as const

export type Change = { data?: object, remove?: string[], flash?: object, status?: number }

/** The first file builds, and the others wait for it. */
const BUILD_TIMEOUT = 1_800_000

/** What the plugin of the fixture gives to the tests. */
interface AppInPage {
  change(path: string, body?: object, by?: 'fetch' | '$fetch' | 'create' | 'raw'): Promise<object>
  data(): object
  refresh(): Promise<void>
  clear(): Promise<void>
  go(path: string): Promise<void>
}

interface RouterInPage {
  push(path: string): Promise<unknown>
  /** @returns a function that removes the guard */
  beforeEach(guard: (to: { path: string }) => unknown): () => void
}

declare global {
  // eslint-disable-next-line no-var
  var app: AppInPage
  /** How often the page was told that its session has ended. */
  // eslint-disable-next-line no-var
  var ended: number
  /** Where the app of the page leads on, by the path that was asked for. */
  // eslint-disable-next-line no-var
  var leads: Record<string, string> | undefined
  // Nuxt's own, in every page.
  // eslint-disable-next-line no-var
  var useNuxtApp: () => { $router: RouterInPage }
}

export interface AppUnderTest {
  server(): RunningServer
  /** Somebody without a browser. */
  visitor(cookies?: Map<string, string>): Visitor
  /** A browser of somebody new, whose tabs share cookies and nothing with other people. */
  person(settings?: { javaScript?: boolean, signedInAs?: string }): Promise<Person>
  /** Errors that a test means to cause. */
  expectComplaint(complaint: RegExp): void
}

export interface Person {
  context: BrowserContext
  /** A new tab, hydrated where it can be. */
  open(path: string): Promise<Page>
  /** Changes the session beside the pages, as another device of the person would. */
  post(path: string, body?: Change | { name?: string }): Promise<void>
}

/**
 * One server of a fixture for the tests of a `describe`. After each test no console of any
 * page may have held a complaint, and no response a byte of what is not exposed.
 */
export function useApp(env: Record<string, string> = {}, fixture = 'nuxt-app'): AppUnderTest {
  let server: RunningServer
  let browser: Browser | undefined
  let ends: (() => Promise<void>)[] = []
  let expected: RegExp[] = []
  beforeAll(async () => {
    server = await startServer(await buildNuxt(fixture), env)
  }, BUILD_TIMEOUT)
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
  })
  afterEach(async () => {
    const results = await Promise.allSettled(ends.map(end => end()))
    ends = []
    expected = []
    for (const result of results) {
      if (result.status === 'rejected')
        throw result.reason
    }
  })
  return {
    server: () => server,
    visitor: cookies => createVisitor(server.url, cookies),
    expectComplaint: complaint => void expected.push(complaint),
    async person({ javaScript = true, signedInAs } = {}) {
      browser ??= await launchChromium()
      const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled: javaScript })
      const complaints = collectComplaints(context)
      const leaks = collectLeaks(context)
      ends.push(async () => {
        const leaked = await leaks()
        await context.close()
        expect(complaints.filter(complaint => !expected.some(pattern => pattern.test(complaint)))).toEqual([])
        expect(leaked).toEqual([])
      })
      const person: Person = {
        context,
        async open(path) {
          const page = await context.newPage()
          await visit(page, path, javaScript)
          return page
        },
        async post(path, body = {}) {
          await context.request.post(path, { data: body })
        },
      }
      if (signedInAs) {
        await person.post('/api/login', { name: signedInAs })
        // The message of the login is no part of the test.
        await context.request.post('/_session', { data: { flash: ['success'] } })
      }
      return person
    },
  }
}

/** The cookies of a person's browser, for somebody without one who has them too. */
export async function jarOf({ context }: Person): Promise<Map<string, string>> {
  return new Map((await context.cookies()).map(({ name, value }) => [name, value]))
}

/** Loads a page as an address typed by hand does, and waits until it is hydrated. */
export async function visit(page: Page, path: string, javaScript = true): Promise<void> {
  await page.goto(path)
  if (javaScript)
    await hydrated(page)
}

export async function hydrated(page: Page): Promise<void> {
  await page.locator('html[data-hydrated]').waitFor({ state: 'attached' })
}

/** Goes by a link of the app, without loading a document. */
export async function follow(page: Page, path: string, title = path.slice(1) || 'start'): Promise<void> {
  await page.locator('nav').getByRole('link', { name: path, exact: true }).click()
  await heading(page, title)
}

export async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click()
}

export async function heading(page: Page, title: string): Promise<void> {
  await page.getByRole('heading', { name: title, exact: true }).waitFor()
}

const SOON = { timeout: 60_000, interval: 50 }

/** For one look at a page, which a poll repeats: it may be on its way to another one. */
const LOOK = { timeout: 2_000 }

/** For `expect.poll`: the text of an element of the page. */
export function text(page: Page, id: string) {
  return [() => page.locator(`#${id}`).textContent(LOOK), { ...SOON, message: `#${id}` }] as const
}

/** For `expect.poll`: the session data that the page shows. */
export function data(page: Page) {
  return [async (): Promise<unknown> => JSON.parse(await page.locator('#data').textContent(LOOK) ?? ''), { ...SOON, message: '#data' }] as const
}

/** What the page shows at this moment. */
export async function shown(page: Page, ...ids: string[]): Promise<(string | null)[]> {
  return Promise.all(ids.map(id => page.locator(`#${id}`).textContent()))
}

/** What came before in the page is done: its requests were sent, and those that it waits for are answered. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await fetch('/api/plain')
    await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)))
    await fetch('/api/plain')
  })
}

/** The requests of a page to our own route, from now on. */
export function sessionRequests(page: Page): string[] {
  const requests: string[] = []
  page.on('request', (request) => {
    if (new URL(request.url()).pathname === '/_session')
      requests.push(`${request.method()} ${request.postData() ?? ''}`.trim())
  })
  return requests
}

/** Changes the session from the page by `$fetch`; resolves to the data right after it. */
export function change(page: Page, path: string, body?: object, by?: Parameters<AppInPage['change']>[2]): Promise<object> {
  return page.evaluate(([path, body, by]) => globalThis.app.change(path, body, by), [path, body, by] as const)
}

/** A network as on a train. */
export async function slowDown(page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Network.emulateNetworkConditions', { offline: false, latency: 400, downloadThroughput: 100_000, uploadThroughput: 50_000 })
}

/** The text of an element in HTML that the fixture made. */
export function textOf(html: string, id: string): string | undefined {
  const text = new RegExp(`<output id="${id}"[^>]*>([^<]*)</output>`).exec(html)?.[1]
  return text?.replaceAll('&quot;', '"')
}

/** The HTML of a page. */
export async function htmlOf(visitor: Visitor, path: string, headers: Record<string, string> = {}): Promise<string> {
  return (await visitor.fetch(path, { headers: { accept: 'text/html', ...headers } })).text()
}

/** Reads every response, headers and bytes; answers the addresses of those that hold the canary. */
function collectLeaks(context: BrowserContext): () => Promise<string[]> {
  const looks: Promise<string[]>[] = []
  const look = async (request: Request): Promise<string[]> => {
    const response = await request.response().catch(() => null)
    // A redirect has no body, and the browser drops that of a page it has left.
    const [headers, body] = await Promise.all([response?.headersArray().catch(() => []), response?.body().catch(() => '')])
    return `${JSON.stringify(headers)}${body}`.includes(CANARY) ? [request.url()] : []
  }
  // Of a response that the page does not read to its end there is no body to ask for.
  context.on('requestfinished', request => looks.push(look(request)))
  return async () => (await Promise.all(looks)).flat()
}
