import type { Random } from '../../unit/support/random'
import type { Answer, NoAnswer, Question } from './hammer-http'
import type { Cookie, Known, Outcome } from './hammer-lineage'
import { randomInt } from 'node:crypto'
import { createRandom } from '../../unit/support/random'
import { HammerHttp } from './hammer-http'
import { Lineage } from './hammer-lineage'

/** What can be broken: right answers, changes that stay, ends that are final, messages read once. */
export type Rule = 'answers' | 'changes' | 'ends' | 'messages'

export interface HammerPlan {
  /** The servers that are up right now. */
  origins: () => string[]
  clients: number
  sessions: number
  /** Answered ones; 503 and no answer at all are not counted. */
  operations: number
  /** Called once when so many operations were answered, while the clients go on. */
  disasters?: { after: number, strike: (hammer: Hammer) => Promise<void> }[]
}

export interface HammerReport {
  seed: number
  /** By rule, what broke it. */
  violations: Record<Rule, string[]>
  /** How many requests were answered with which status; `none` is no answer. */
  statuses: Record<string, number>
  /** How many requests of each kind were acknowledged. */
  acknowledged: Record<string, number>
  /** How many sessions answer at the end. */
  alive: number
}

/** A place where sessions follow each other: several clients work on the present one. */
interface Slot {
  lineages: Lineage[]
  isLoggingIn: boolean
}

interface Operation {
  weight: number
  run: (hammer: Hammer, cookie: Cookie, random: Random) => Promise<void>
}

interface Result {
  outcome: Outcome
  body: Record<string, unknown>
  setCookie: string | null | undefined
}

const OPERATIONS: Record<string, Operation> = {
  'increment': { weight: 36, run: increment },
  'set': { weight: 14, run: setKey },
  'delete': { weight: 8, run: deleteKey },
  'write a message': { weight: 8, run: writeMessage },
  'read a message': { weight: 10, run: readMessage },
  'read': { weight: 14, run: read },
  'regenerate': { weight: 7, run: regenerate },
  'destroy': { weight: 3, run: destroy },
}

/** One operation of so many goes to an id that is known to have ended. */
const STALE_ONE_IN = 16
/** Every other operation goes to the first sessions, so that many clients meet there. */
const BUSY_SLOTS = 16
/** After this many failures in a row the servers are taken for lost. */
const PATIENCE = 10_000

/** Clients that work on the same sessions over many servers, and judge every answer exactly. */
export class Hammer {
  readonly #plan: HammerPlan
  readonly #seed = Number(process.env.HAMMER_SEED ?? randomInt(2 ** 31))
  readonly #http = new HammerHttp()
  readonly #slots: Slot[]
  readonly #violations: Record<Rule, string[]> = { answers: [], changes: [], ends: [], messages: [] }
  readonly #statuses: Record<string, number> = {}
  readonly #acknowledged: Record<string, number> = {}
  #lineages = 0
  #answered = 0
  #failedInARow = 0
  #waiting: { failures: number, resolve: () => void }[] = []

  constructor(plan: HammerPlan) {
    this.#plan = plan
    this.#slots = Array.from({ length: plan.sessions }, () => ({ lineages: [], isLoggingIn: false }))
  }

  /** Runs the plan, then looks at every session that there ever was. */
  async run(): Promise<HammerReport> {
    const disasters = [...this.#plan.disasters ?? []]
    const strikes: Promise<void>[] = []
    const client = async (number: number): Promise<void> => {
      const random = createRandom(this.#seed + number)
      while (this.#answered < this.#plan.operations && this.#failedInARow < PATIENCE) {
        await this.#step(random)
        if (this.#answered >= (disasters[0]?.after ?? Infinity))
          strikes.push(disasters.shift()!.strike(this))
      }
    }
    await Promise.all(Array.from({ length: this.#plan.clients }, (_, number) => client(number)))
    if (this.#failedInARow >= PATIENCE)
      this.note('answers', `${PATIENCE} requests in a row failed; the servers did not recover`)
    await Promise.all(strikes)
    const alive = await this.#judge()
    this.#http.close()
    return { seed: this.#seed, violations: this.#violations, statuses: this.#statuses, acknowledged: this.#acknowledged, alive }
  }

  /** Resolves when so many more requests have failed. */
  failures(count: number): Promise<void> {
    return new Promise(resolve => this.#waiting.push({ failures: count, resolve }))
  }

  /** What many answers show is noted once. */
  note(rule: Rule, text: string): void {
    if (!this.#violations[rule].includes(text))
      this.#violations[rule].push(text)
  }

  acknowledge(operation: string): void {
    this.#acknowledged[operation] = (this.#acknowledged[operation] ?? 0) + 1
  }

  /** Sends a request with the cookie of a session, and judges what every answer must keep to. */
  async ask(operation: string, cookie: Cookie, question: Question, random: Random): Promise<Result> {
    const wasEnded = cookie.isEnded
    const result = await this.#send({ ...question, cookie: cookie.value }, random)
    const told = (text: string): void => this.note('ends', `${operation} on ${cookie.lineage.name}: ${text}`)
    if (result.outcome === 'acknowledged') {
      this.acknowledge(operation)
      if (wasEnded)
        told('an id that had ended before was accepted')
      if (result.body.lineage !== cookie.lineage.name)
        told(`it is the session of ${result.body.lineage}`)
    }
    if (result.isUnauthorized && !cookie.isEnding)
      told('401, though nobody has ended the session')
    if (wasEnded && result.setCookie !== undefined)
      told('an id that had ended before received a cookie')
    if (result.setCookie && result.setCookie !== cookie.value && operation !== 'regenerate')
      told('it received another id')
    if (result.setCookie && result.outcome === 'unknown')
      told('a failure sent a cookie')
    return result
  }

  async #send(question: Question, random: Random): Promise<Result & { isUnauthorized: boolean }> {
    const origin = random.pick(this.#plan.origins())
    const reply = await this.#http.send(origin, question)
    this.#count(reply)
    if (reply.status === 'none' && this.#plan.origins().includes(origin))
      this.note('answers', `${question.method} ${question.path}: ${reply.reason}, from a server that is up`)
    if (reply.status === 'none')
      return { outcome: 'unknown', body: {}, setCookie: undefined, isUnauthorized: false }
    const { body, setCookie } = reply
    return { outcome: this.#outcomeOf(reply, question), body, setCookie, isUnauthorized: reply.status === 401 }
  }

  #outcomeOf({ status, body }: Answer, { method, path }: Question): Outcome {
    if (status >= 200 && status < 300)
      return 'acknowledged'
    if (status === 401 || status === 409)
      return 'refused'
    if (status !== 503)
      this.note('answers', `${method} ${path}: ${status} ${JSON.stringify(body)}`)
    return 'unknown'
  }

  #count(reply: Answer | NoAnswer): void {
    const name = reply.status === 'none' ? `none: ${reply.reason}` : String(reply.status)
    this.#statuses[name] = (this.#statuses[name] ?? 0) + 1
    if (reply.status !== 'none' && reply.status !== 503) {
      this.#answered++
      this.#failedInARow = 0
      return
    }
    this.#failedInARow++
    for (const waiting of this.#waiting.filter(waiting => --waiting.failures <= 0))
      waiting.resolve()
    this.#waiting = this.#waiting.filter(({ failures }) => failures > 0)
  }

  async #step(random: Random): Promise<void> {
    const failed = this.#failedInARow
    const slot = this.#slots[random.below(random.below(2) === 0 ? Math.min(BUSY_SLOTS, this.#slots.length) : this.#slots.length)]!
    const lineage = slot.lineages.at(-1)
    if (slot.isLoggingIn)
      await new Promise(resolve => setImmediate(resolve))
    else if (!lineage?.isOpen)
      await this.#logIn(slot, random)
    else
      await pickOperation(random).run(this, pickCookie(slot, random), random)
    // As people do: nobody knocks at a closed door without a pause.
    if (this.#failedInARow > failed)
      await new Promise(resolve => setTimeout(resolve, 20 + random.below(30)))
  }

  async #logIn(slot: Slot, random: Random): Promise<void> {
    slot.isLoggingIn = true
    const name = `L${++this.#lineages}`
    const last = slot.lineages.at(-1)
    const leftOver = last?.leftOver
    const { outcome, setCookie } = await this.#send({ method: 'POST', path: `/login?lineage=${name}`, cookie: leftOver }, random)
    if (outcome === 'acknowledged' && setCookie) {
      this.acknowledge('log in')
      slot.lineages.push(new Lineage(name, setCookie))
      if (last?.cookies.some(({ value }) => value === setCookie))
        this.note('ends', `login after ${last.name}: it received an id that had ended`)
    }
    else if (outcome !== 'unknown') {
      this.note('ends', `login${leftOver ? ` after ${last!.name} was destroyed` : ''}: ${outcome}, with${setCookie ? '' : 'out'} a cookie`)
      if (last)
        last.leftOver = undefined
    }
    slot.isLoggingIn = false
  }

  /** Resolves to the number of sessions that answer. */
  async #judge(): Promise<number> {
    const lineages = this.#slots.flatMap(slot => slot.lineages)
    let alive = 0
    const judge = async (random: Random): Promise<void> => {
      for (let lineage = lineages.pop(); lineage; lineage = lineages.pop())
        if (await this.#judgeOne(lineage, random))
          alive++
    }
    await Promise.all(Array.from({ length: this.#plan.clients }, (_, number) => judge(createRandom(this.#seed - 1 - number))))
    return alive
  }

  /** Every id that the session ever had, then its messages one after the other, then its data. */
  async #judgeOne(lineage: Lineage, random: Random): Promise<boolean> {
    for (const cookie of lineage.cookies.filter(cookie => cookie.isEnded))
      await this.ask('read at the end', cookie, { method: 'GET', path: '/read' }, random)
    if (lineage.isDestroyed)
      return false
    for (const key of lineage.isOpen ? lineage.messages.flatMap(key => [key, key]) : [])
      await readOneMessage(this, lineage.cookie, key, random)
    const { outcome, body } = await this.ask('read at the end', lineage.cookie, { method: 'GET', path: '/read' }, random)
    const { known } = lineage
    if (outcome === 'acknowledged')
      judgeData(this, lineage, body, known)
    else if (lineage.isOpen)
      this.note('changes', `${lineage.name} does not answer any more`)
    return outcome === 'acknowledged'
  }
}

function pickOperation(random: Random): Operation {
  const operations = Object.values(OPERATIONS)
  let rest = random.below(operations.reduce((sum, { weight }) => sum + weight, 0))
  return operations.find(({ weight }) => (rest -= weight) < 0)!
}

/** The present id of a slot's session; sometimes the last one, or one of its last, that ended. */
function pickCookie({ lineages }: Slot, random: Random): Cookie {
  const ended = random.below(STALE_ONE_IN) === 0 ? lineages.flatMap(({ cookies }) => cookies).filter(({ isEnded }) => isEnded).slice(-4) : []
  return ended.length > 0 ? random.pick(ended) : lineages.at(-1)!.cookie
}

function judgeData(hammer: Hammer, lineage: Lineage, data: Record<string, unknown>, known: Known): void {
  for (const text of lineage.check(data, known))
    hammer.note('changes', `${lineage.name}: ${text}`)
}

// --- Operations ---

async function increment(hammer: Hammer, cookie: Cookie, random: Random): Promise<void> {
  const { lineage } = cookie
  const { known } = lineage
  const end = lineage.increment()
  const { outcome, body } = await hammer.ask('increment', cookie, { method: 'POST', path: '/increment' }, random)
  end(outcome)
  if (outcome === 'acknowledged')
    judgeData(hammer, lineage, body, { ...known, increments: known.increments + 1 })
}

async function setKey(hammer: Hammer, cookie: Cookie, random: Random): Promise<void> {
  const { key, end } = cookie.lineage.setKey()
  const { outcome } = await hammer.ask('set', cookie, { method: 'POST', path: `/set?key=${key}` }, random)
  end(outcome)
}

async function deleteKey(hammer: Hammer, cookie: Cookie, random: Random): Promise<void> {
  const { removable } = cookie.lineage
  if (removable.length === 0)
    return setKey(hammer, cookie, random)
  const key = random.pick(removable)
  const end = cookie.lineage.removeKey(key)
  const { outcome } = await hammer.ask('delete', cookie, { method: 'POST', path: `/delete?key=${key}` }, random)
  end(outcome)
}

async function writeMessage(hammer: Hammer, cookie: Cookie, random: Random): Promise<void> {
  const { key, end } = cookie.lineage.writeMessage()
  const { outcome } = await hammer.ask('write a message', cookie, { method: 'POST', path: `/flash?key=${key}` }, random)
  end(outcome)
}

async function readMessage(hammer: Hammer, cookie: Cookie, random: Random): Promise<void> {
  const { messages } = cookie.lineage
  if (messages.length === 0)
    return writeMessage(hammer, cookie, random)
  // The newest ones most of all, so that several clients read the same at the same time.
  await readOneMessage(hammer, cookie, random.pick(messages.slice(-3)), random)
}

async function readOneMessage(hammer: Hammer, cookie: Cookie, key: string, random: Random): Promise<void> {
  const end = cookie.lineage.readMessage(key, cookie)
  const { outcome, body } = await hammer.ask('read a message', cookie, { method: 'GET', path: `/flash?key=${key}` }, random)
  const problem = end(outcome, body.message)
  if (problem)
    hammer.note('messages', `${cookie.lineage.name}: ${problem}`)
}

async function read(hammer: Hammer, cookie: Cookie, random: Random): Promise<void> {
  const { lineage } = cookie
  const { known } = lineage
  const { outcome, body } = await hammer.ask('read', cookie, { method: 'GET', path: '/read' }, random)
  if (outcome === 'acknowledged')
    judgeData(hammer, lineage, body, known)
}

async function regenerate(hammer: Hammer, cookie: Cookie, random: Random): Promise<void> {
  const { lineage } = cookie
  const { key, end } = lineage.setKey()
  cookie.isEnding = true
  const { outcome, setCookie } = await hammer.ask('regenerate', cookie, { method: 'POST', path: `/regenerate?key=${key}` }, random)
  end(outcome)
  if (outcome === 'unknown')
    lineage.isAdrift = true
  if (outcome !== 'acknowledged')
    return
  if (cookie.isEnded && !lineage.isDestroyed)
    hammer.note('ends', `${lineage.name}: two regenerations of one id were acknowledged`)
  cookie.isEnded = true
  if (!setCookie || setCookie === cookie.value)
    return hammer.note('ends', `${lineage.name}: a regeneration gave no new id`)
  lineage.addCookie(setCookie)
}

async function destroy(hammer: Hammer, cookie: Cookie, random: Random): Promise<void> {
  const { lineage } = cookie
  cookie.isEnding = true
  const { outcome } = await hammer.ask('destroy', cookie, { method: 'POST', path: '/destroy' }, random)
  if (outcome === 'acknowledged')
    lineage.destroy(cookie)
  if (outcome === 'unknown')
    lineage.isAdrift = true
}
