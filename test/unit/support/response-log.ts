import type { IncomingMessage, ServerResponse } from 'node:http'

/** Something that was seen: what a step gave back, or an event, a callback or a crash. */
export interface Entry {
  readonly kind: 'step' | 'event'
  readonly name: string
  /** What came of a step, or with an event. */
  readonly with?: string
  /** The step inside of which an event came, when it came at once. */
  readonly during?: string
  /** The properties that are not what they were at the entry before. */
  readonly state?: Record<string, unknown>
}

/** All that handler, listeners and client saw of one response. */
export interface Observation {
  log: Entry[]
  /** Events of the request, and of the response to a second one. */
  request: string[]
  second: string[]
  client: string[]
}

/** Everything that a handler can read from a response. */
const PROPERTIES = ['headersSent', 'statusCode', 'statusMessage', 'finished', 'writable', 'writableEnded', 'writableFinished', 'writableLength', 'writableHighWaterMark', 'writableNeedDrain', 'writableCorked', 'writableObjectMode', 'destroyed', 'closed', 'shouldKeepAlive', 'chunkedEncoding', 'sendDate', 'strictContentLength'] as const

/** What a run saw, in order. */
export class Log {
  readonly entries: Entry[] = []
  isPiped = false
  #state: Record<string, unknown> = {}
  #during: string[] = []
  #exchange: { req: IncomingMessage, res: ServerResponse } | undefined

  observe(req: IncomingMessage, res: ServerResponse): void {
    this.#exchange = { req, res }
  }

  /** Takes a step and notes what came of it. */
  step(name: string, take: () => unknown): void {
    this.#during.push(name)
    let outcome: string
    try {
      outcome = this.#show(take())
    }
    catch (error) {
      outcome = `throws ${showError(error)}`
    }
    this.#during.pop()
    this.#add({ kind: 'step', name, with: outcome, ...this.#place() })
  }

  event(name: string, args: readonly unknown[] = []): void {
    this.#add({ kind: 'event', name, with: args.map(value => this.#show(value)).join(', '), ...this.#place() })
  }

  #place(): { during?: string } {
    const during = this.#during.at(-1)
    return during === undefined ? {} : { during }
  }

  #add(entry: Entry): void {
    const now = this.#read()
    const changed = Object.entries(now).filter(([key, value]) => value !== this.#state[key])
    this.#state = now
    this.entries.push(changed.length === 0 ? entry : { ...entry, state: Object.fromEntries(changed) })
  }

  #read(): Record<string, unknown> {
    if (!this.#exchange)
      return {}
    const { res } = this.#exchange
    const state: Record<string, unknown> = {}
    for (const property of PROPERTIES)
      state[property] = res[property as keyof ServerResponse]
    state.errored = res.errored ? showError(res.errored) : res.errored
    state.headers = attempt(() => JSON.stringify(Object.entries(res.getHeaders()), (_, value) => typeof value === 'symbol' ? String(value) : value))
    state.headerNames = attempt(() => res.getHeaderNames().join())
    state.rawHeaderNames = attempt(() => (res as ServerResponse & { getRawHeaderNames(): string[] }).getRawHeaderNames().join())
    // A pipe comes and goes with its own listeners as its source has something to say.
    if (!this.isPiped)
      state.listeners = res.eventNames().map(name => `${String(name)} ${res.listenerCount(name)}`).sort().join()
    state.ownProperties = Object.keys(res).sort().join()
    state.socket = Boolean(res.socket)
    return state
  }

  #show(value: unknown): string {
    if (value === undefined || value === null || typeof value === 'boolean')
      return String(value)
    if (value instanceof Error)
      return showError(value)
    if (value === this.#exchange?.res)
      return 'res'
    return value === this.#exchange?.req ? 'req' : typeof value === 'object' ? value.constructor.name : typeof value
  }
}

function attempt(read: () => unknown): unknown {
  try {
    return read()
  }
  catch (error) {
    return `throws ${showError(error)}`
  }
}

export function showError(error: unknown): string {
  if (!(error instanceof Error))
    return String(error)
  const { code } = error as NodeJS.ErrnoException
  return `${error.name} ${code ?? ''}: ${error.message}`
}
