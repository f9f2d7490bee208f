import type { BrowserContext, Page } from 'playwright-core'
import type { Visitor } from '../../support/browser'
import type { Random } from '../../unit/support/random'
import type { LeakJudge } from './leak-judge'
import { createVisitor } from '../../support/browser'
import { createCanary } from './leak-judge'

/** The kinds of page that the fixture `nuxt-caches` has, by how they are made. */
export const KINDS = ['dynamic', 'cached', 'swr', 'isr', 'prerendered', 'spa'] as const
const NUMBERS = [1, 2]

/** How long a page may take to show what it should; not a claim about speed. */
const PATIENCE_MS = 120_000

/** What a visitor put into the session and must find there, and nowhere else. */
interface Belongings {
  user?: string
  own?: string
  message?: string
}

/** One who looks at pages and now and then changes the session. */
export interface Wanderer {
  readonly name: string
  step(random: Random): Promise<void>
}

/** The answer of each rendering, by the kind of page and the visitor who saw it. */
export class ViewLog {
  readonly #views: { kind: string, visitor: string, rendering: string }[] = []

  add(kind: string, visitor: string, html: string): void {
    const rendering = /rendering-(?<number>\d+)/.exec(html)?.groups?.number
    this.#views.push({ kind, visitor, rendering: rendering ?? 'browser' })
  }

  get count(): number {
    return this.#views.length
  }

  /** How many views a kind had, of how many renderings, and how many of these more than one visitor saw. */
  of(kind: string): { views: number, renderings: number, shared: number } {
    const views = this.#views.filter(view => view.kind === kind)
    const visitors = new Map<string, Set<string>>()
    for (const { visitor, rendering } of views)
      visitors.set(rendering, (visitors.get(rendering) ?? new Set()).add(visitor))
    return { views: views.length, renderings: visitors.size, shared: [...visitors.values()].filter(({ size }) => size > 1).length }
  }
}

interface Change {
  path: string
  body: Record<string, string>
  after: Belongings
}

/** A change of the session with words that were never used before. */
function pickChange(name: string, now: Belongings, random: Random): Change {
  const message = createCanary(name, 'message')
  const user = createCanary(name, 'user')
  const own = createCanary(name, 'own')
  const login = { path: '/api/login', body: { user, own, message, hidden: createCanary(name, 'hidden') }, after: { user, own, message } }
  if (!now.user)
    return login
  return random.pick<Change>([
    login,
    { path: '/api/change', body: { user }, after: { ...now, user, message: undefined } },
    { path: '/api/change', body: { own, message }, after: { ...now, own, message } },
    { path: '/api/change', body: { message }, after: { ...now, message } },
    { path: '/api/logout', body: {}, after: {} },
  ])
}

/** One view in so many is followed by a change. */
const CHANGE_ONE_IN = 5
/** One view in so many loads the whole page; the others follow a link. */
const FULL_ONE_IN = 3

/** A visitor with a real browser. */
export class BrowserWanderer implements Wanderer {
  readonly name: string
  readonly #page: Page
  readonly #judge: LeakJudge
  readonly #log: ViewLog
  #has: Belongings = {}

  constructor(name: string, page: Page, judge: LeakJudge, log: ViewLog) {
    this.name = name
    this.#page = page
    this.#judge = judge
    this.#log = log
  }

  static async start(name: string, context: BrowserContext, judge: LeakJudge, log: ViewLog): Promise<BrowserWanderer> {
    const page = await context.newPage()
    await page.goto('/')
    return new BrowserWanderer(name, page, judge, log)
  }

  async step(random: Random): Promise<void> {
    await this.#view(random)
    if (random.below(CHANGE_ONE_IN) === 0)
      await this.#change(random)
  }

  async #view(random: Random): Promise<void> {
    const kind = random.pick(KINDS)
    const number = random.pick(NUMBERS)
    // A link to the page that is there does nothing.
    if (random.below(FULL_ONE_IN) === 0 || this.#page.url().endsWith(`/${kind}/${number}`))
      await this.#page.goto(`/${kind}/${number}`, { waitUntil: 'commit' })
    else
      await this.#page.evaluate(path => document.querySelector<HTMLElement>(`a[href="${path}"]`)!.click(), `/${kind}/${number}`)
    const html = await this.#expect(`${kind} ${number}`, { user: this.#has.user, ...(kind === 'dynamic' && { own: this.#has.own ?? 'nothing' }) })
    this.#log.add(kind, this.name, html)
  }

  async #change(random: Random): Promise<void> {
    const { path, body, after } = pickChange(this.name, this.#has, random)
    await this.#page.evaluate(async ({ path, body }) => {
      await (globalThis as unknown as { $fetch: (path: string, options: object) => Promise<unknown> }).$fetch(path, { method: 'POST', body })
    }, { path, body })
    this.#has = after
    await this.#expect('', { user: after.user, message: after.message })
  }

  /** Waits until the page shows what it should; answers all that it shows. */
  async #expect(title: string, shown: Belongings): Promise<string> {
    const seen = await this.#page.waitForFunction(({ title, user, own, message }) => {
      const textOf = (name: string): string | undefined => document.querySelector(`main [data-of="${name}"]`)?.textContent ?? undefined
      const isReady = (globalThis as unknown as { useNuxtApp?: () => { isHydrating?: boolean } }).useNuxtApp?.().isHydrating === false
      const isRight = document.querySelector('h1')?.textContent.startsWith(title)
        && textOf('user') === user
        && (own === undefined || textOf('own') === own)
        && (message === undefined || textOf('message') === message)
      return isReady && isRight ? document.body.textContent : undefined
    }, { title, ...shown, user: shown.user ?? 'nobody' }, { timeout: PATIENCE_MS, polling: 10 }).catch(async (error) => {
      const text = await this.#page.locator('main').textContent()
      this.#judge.note(`${this.name} at ${this.#page.url()} should see ${JSON.stringify({ title, ...shown })}, but sees ${text} (${(error as Error).name})`)
      return undefined
    })
    return String(await seen?.jsonValue() ?? '')
  }
}

/** A visitor without JavaScript. */
export class PlainWanderer implements Wanderer {
  readonly name: string
  readonly #visitor: Visitor
  readonly #judge: LeakJudge
  readonly #log: ViewLog
  #has: Belongings = {}

  constructor(name: string, origin: string, judge: LeakJudge, log: ViewLog) {
    this.name = name
    this.#visitor = createVisitor(origin)
    this.#judge = judge
    this.#log = log
  }

  async step(random: Random): Promise<void> {
    await (random.below(2) === 0 ? this.#view(random) : this.#ask(random))
    if (random.below(CHANGE_ONE_IN) === 0)
      await this.#change(random)
  }

  async #view(random: Random): Promise<void> {
    const kind = random.pick(KINDS)
    const response = await this.#visitor.fetch(`/${kind}/${random.pick(NUMBERS)}`, { headers: { accept: 'text/html' } })
    const html = await response.text()
    this.#log.add(kind, this.name, html)
    if (response.status !== 200)
      this.#judge.note(`${this.name} at ${kind}: ${response.status}`)
    if (kind !== 'dynamic')
      return
    for (const value of [this.#has.user ?? '>nobody<', this.#has.own ?? '>nothing<', this.#has.message]) {
      if (value && !html.includes(value))
        this.#judge.note(`${this.name}'s ${kind} page does not show ${value}`)
    }
    // Shown once.
    this.#has.message = undefined
  }

  /** What pages would ask in the background, and what nobody should. */
  async #ask(random: Random): Promise<void> {
    const kind = random.pick(KINDS)
    const number = random.pick(NUMBERS)
    const path = random.pick(['/_session', '/api/own', '/api/news', '/api/greedy', `/rule/${number}`, `/${kind}/${number}/_payload.json`])
    const response = await this.#visitor.fetch(path)
    const text = await response.text()
    const isRefused = response.status >= 400
    if (isRefused !== (path === '/api/greedy') && !path.endsWith('_payload.json'))
      this.#judge.note(`${this.name} at ${path}: ${response.status}`)
    if (path === '/_session' && this.#has.user && !text.includes(this.#has.user))
      this.#judge.note(`${this.name} does not find ${this.#has.user} at ${path}`)
  }

  async #change(random: Random): Promise<void> {
    const { path, body, after } = pickChange(this.name, this.#has, random)
    const response = await this.#visitor.post(path, body)
    await response.text()
    if (!response.ok)
      this.#judge.note(`${this.name} at ${path}: ${response.status}`)
    // A message that nobody has read yet is still there, unless another took its place.
    this.#has = path === '/api/change' && !after.message ? { ...after, message: this.#has.message } : after
  }
}
