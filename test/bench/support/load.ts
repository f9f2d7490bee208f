import type { Answer, Call, Client } from './client'
import { signCookie } from '../../../src/core/index'
import { createRandom, mutate } from '../../support/mutations'

/** What the load did and what came back. */
export interface LoadCounts {
  requests: number
  /** Requests by what they were for. */
  actions: Record<string, number>
  /** Responses by status; `aborted` and `broken` have none. */
  statuses: Record<string, number>
  /** How often the server did what it never may: take a dead or forged cookie for a session, break a connection. */
  wrong: Record<string, number>
}

export interface LoadSettings {
  connections: number
  /** How many visitors are signed in at any time, so that the records stay bounded. */
  visitors: number
  seed: number
}

/** One of the things that visitors do, and how often it is done. */
interface Action {
  name: string
  weight: number
  run(slot: number): Promise<unknown>
}

const MAX_DEAD = 1000

/**
 * Visitors that do everything that a session can be put through, many at the same time and
 * often with the same session.
 */
export class Load {
  readonly counts: LoadCounts = { requests: 0, actions: {}, statuses: {}, wrong: {} }
  readonly #client: Client
  readonly #settings: LoadSettings
  readonly #random: (below: number) => number
  /** The cookies of the visitors. */
  readonly #cookies: (string | undefined)[]
  /** Cookies of sessions that were destroyed or replaced, and acknowledged so. */
  readonly #dead: string[] = []
  readonly #actions: Action[]
  readonly #totalWeight: number
  #workers: Promise<unknown> | undefined
  #isStopped = true

  constructor(client: Client, settings: LoadSettings) {
    this.#client = client
    this.#settings = settings
    this.#random = createRandom(settings.seed)
    this.#cookies = Array.from({ length: settings.visitors })
    this.#actions = this.#createActions()
    this.#totalWeight = this.#actions.reduce((sum, { weight }) => sum + weight, 0)
  }

  /** Does everything once, one after the other. */
  async rehearse(): Promise<void> {
    for (const action of this.#actions)
      await this.#act(action)
  }

  start(): void {
    this.#isStopped = false
    this.#workers = Promise.all(Array.from({ length: this.#settings.connections }, () => this.#work()))
  }

  /** Resolves when no request is on its way any more. */
  async pause(): Promise<void> {
    this.#isStopped = true
    await this.#workers
  }

  async #work(): Promise<void> {
    while (!this.#isStopped)
      await this.#act(this.#pick())
  }

  async #act(action: Action): Promise<void> {
    increment(this.counts.actions, action.name)
    await action.run(this.#random(this.#settings.visitors))
  }

  #pick(): Action {
    let left = this.#random(this.#totalWeight)
    return this.#actions.find(({ weight }) => (left -= weight) < 0)!
  }

  #createActions(): Action[] {
    const post = (path: string, body?: () => object) => (slot: number): Promise<Answer> =>
      this.#as(slot, { method: 'POST', path, body: body?.() })
    const get = (path: string) => (slot: number): Promise<Answer> => this.#as(slot, { method: 'GET', path })
    return [
      { name: 'new visitor', weight: 8, run: slot => this.#arrive(slot) },
      { name: 'read', weight: 30, run: get('/read') },
      { name: 'set', weight: 15, run: post('/set', () => this.#change()) },
      { name: 'update', weight: 15, run: post('/update') },
      { name: 'flash write', weight: 6, run: post('/flash') },
      { name: 'flash read', weight: 6, run: get('/flash') },
      { name: 'regenerate', weight: 5, run: slot => this.#end(slot, '/login') },
      { name: 'destroy', weight: 3, run: slot => this.#end(slot, '/logout') },
      { name: 'forged', weight: 4, run: slot => this.#forge(slot) },
      { name: 'dead', weight: 4, run: () => this.#returnFromTheDead() },
      { name: 'abort', weight: 4, run: slot => this.#abort(slot) },
    ]
  }

  /** A request of the visitor, who keeps the cookie that comes back. */
  async #as(slot: number, call: Call): Promise<Answer> {
    const answer = await this.#ask({ ...call, cookie: this.#cookies[slot] })
    if (answer.cookie !== undefined)
      this.#cookies[slot] = answer.cookie ?? undefined
    return answer
  }

  /** Somebody new takes the place of a visitor, who logs out first. */
  async #arrive(slot: number): Promise<void> {
    if (this.#cookies[slot] !== undefined)
      await this.#end(slot, '/logout')
    this.#cookies[slot] = undefined
    await this.#as(slot, { method: 'POST', path: '/set', body: this.#change() })
  }

  /** Destroys or replaces: from the answer on the cookie is dead. */
  async #end(slot: number, path: '/login' | '/logout'): Promise<void> {
    const cookie = this.#cookies[slot]
    const { status } = await this.#as(slot, { method: 'POST', path })
    if (cookie === undefined || status < 200 || status >= 400)
      return
    if (this.#dead.push(cookie) > MAX_DEAD)
      this.#dead.splice(this.#random(MAX_DEAD), 1)
  }

  async #forge(slot: number): Promise<void> {
    const valid = this.#cookies[slot]
    if (valid === undefined)
      return
    const foreign = [signCookie(valid.slice(0, valid.lastIndexOf('.')), 'the secret of another server, not of this one'), 's:', 'null']
    await this.#expectNobody('a forged cookie', mutate({ valid: [valid], foreign }, this.#random))
  }

  async #returnFromTheDead(): Promise<void> {
    const cookie = this.#dead[this.#random(Math.max(1, this.#dead.length))]
    if (cookie !== undefined)
      await this.#expectNobody('a dead session', cookie)
  }

  async #expectNobody(what: string, cookie: string): Promise<void> {
    const { status, body } = await this.#ask({ method: 'GET', path: '/read', cookie })
    if (status !== 200 || (body as { hasSession: boolean }).hasSession)
      increment(this.counts.wrong, `${what} was answered ${status === 200 ? 'as a session' : `with ${status}`}`)
  }

  /** The visitor closes the connection; what became of the request nobody knows. */
  async #abort(slot: number): Promise<void> {
    const calls: Call[] = [
      { method: 'POST', path: '/update', abort: this.#random(4) },
      { method: 'POST', path: '/set', body: this.#change(), abort: this.#random(4) },
      { method: 'POST', path: '/set', body: this.#change(), abort: 'half' },
      { method: 'GET', path: '/flash', abort: this.#random(4) },
      { method: 'POST', path: '/login', abort: this.#random(4) },
      { method: 'POST', path: '/logout', abort: this.#random(4) },
    ]
    await this.#as(slot, calls[this.#random(calls.length)]!)
  }

  async #ask(call: Call): Promise<Answer> {
    this.counts.requests++
    try {
      const answer = await this.#client.ask(call)
      increment(this.counts.statuses, answer.status === 0 ? 'aborted' : String(answer.status))
      return answer
    }
    catch (error) {
      increment(this.counts.statuses, 'broken')
      increment(this.counts.wrong, `a connection broke: ${String(error)}`)
      return { status: 0, body: undefined, cookie: undefined }
    }
  }

  #change(): { key: number, value: string } {
    return { key: this.#random(5), value: String(this.#random(1e9)).repeat(10) }
  }
}

function increment(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1
}
