import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex, Writable } from 'node:stream'
import type { Client } from './response-client'
import type { Observation } from './response-log'
import type { Scenario, Source, Special, Step } from './response-scenario'
import { Buffer } from 'node:buffer'
import { pipeline, Readable } from 'node:stream'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { Log } from './response-log'
import { isSpecial, stepToCode } from './response-scenario'

/** Longer than anything takes: what did not happen by then is noted as missing. */
const PATIENCE = 500

const isIdleLimit = (step: Step): boolean => step.type === 'call' && step.method === 'setTimeout' && step.args[0] === 15

type Method = (...args: unknown[]) => unknown

/** One response on its way, from the request until the connection is closed. */
export class Run {
  readonly log = new Log()
  readonly second: string[] = []
  readonly #request: string[] = []
  readonly #scenario: Scenario
  readonly #client: Client
  readonly #onCrash: (error: Error) => void
  readonly #sources: Promise<unknown>[] = []
  #hasLeft = false
  #req!: IncomingMessage
  #res!: ServerResponse
  /** HTTP/2 has many streams on one socket; its stream is what ends. */
  #connection!: Duplex
  #closed!: Promise<unknown>
  #socketClosed!: Promise<unknown>

  /** `onCrash` is told of each error that the run will throw where nobody catches it. */
  constructor(scenario: Scenario, client: Client, onCrash: (error: Error) => void) {
    this.#scenario = scenario
    this.#client = client
    this.#onCrash = onCrash
  }

  /** The handler. Resolves with all that was seen, once the connection is closed. */
  async answer(req: IncomingMessage, res: ServerResponse, held: () => Promise<unknown>): Promise<Observation> {
    this.#req = req
    this.#res = res
    this.#closed = new Promise(resolve => res.once('close', resolve))
    this.#connection = (res as ServerResponse & { stream?: Duplex }).stream ?? req.socket
    this.#socketClosed = new Promise(resolve => this.#connection.once('close', resolve))
    this.log.observe(req, res)
    for (const event of this.#scenario.watched)
      res.on(event, (...args) => this.log.event(event, args))
    for (const event of ['aborted', 'close'])
      req.on(event, () => this.#request.push(event))
    for (const step of this.#scenario.steps)
      await this.#take(step)
    await this.#finish(held)
    return { log: this.log.entries, request: this.#request, second: this.second, client: this.#client.seen }
  }

  /** Pauses are waited for; all other steps are taken in the same turn. */
  #take(step: Step): Promise<void> | undefined {
    if (step.type === 'pause')
      return this.#pause(step.until)
    if (step.type === 'client')
      return this.#leave(step.does)
    this.log.step(stepToCode(step), () => this.#perform(step))
  }

  async #pause(until: Extract<Step, { type: 'pause' }>['until']): Promise<void> {
    if (until === 'immediate')
      await nextTurn()
    else if (until !== 'closed')
      await sleep(until)
    else if (this.#res.writableEnded || this.#res.destroyed)
      await this.#within(this.#closed, 'response never closes')
  }

  async #leave(how: Extract<Step, { type: 'client' }>['does']): Promise<void> {
    if (this.#hasLeft)
      return
    this.#hasLeft = true
    this.log.step(stepToCode({ type: 'client', does: how }), () => this.#client.leave(how))
    await this.#within(this.#socketClosed, 'connection never closes')
  }

  async #within(promise: Promise<unknown>, complaint: string): Promise<void> {
    const abort = new AbortController()
    const late = sleep(PATIENCE, true, { signal: abort.signal }).catch(() => false)
    if (await Promise.race([promise.then(() => false), late]))
      this.log.event(complaint)
    abort.abort()
  }

  #perform(step: Step): unknown {
    const res = this.#res as unknown as Record<string, unknown>
    if (step.type === 'call') {
      const target = { res: this.#res, req: this.#req, socket: this.#req.socket, stream: this.#connection }[step.target] as unknown as Record<string, Method>
      return step.unless && res[step.unless] ? 'not needed' : target[step.method]!(...step.args.map(this.#revive))
    }
    if (step.type === 'assign')
      return void (res[step.property] = step.value)
    if (step.type === 'listen')
      return this.#res[step.method](step.event, this.#toFunction(`${step.event} listener`, step.listener))
    if (step.type === 'pipe')
      return this.#pipe(step)
  }

  #pipe({ by, source, end }: Extract<Step, { type: 'pipe' }>): unknown {
    this.log.isPiped = true
    const readable = this.#open(source)
    const destination = this.#res as unknown as Writable
    this.#sources.push(new Promise(resolve => readable.once('close', resolve).once('end', resolve).once('error', resolve)))
    if (by === 'pipe') {
      // A handler that forgets this one crashes in ways that have nothing to do with the response.
      readable.on('error', error => this.log.event('source error', [error]))
      return readable.pipe(destination, { end })
    }
    return pipeline(readable, destination, error => this.log.event('pipeline done', [error]))
  }

  #open({ from, chunks, fails }: Source): Readable {
    if (from === 'request')
      return this.#req
    const revived = chunks.map(this.#revive)
    return Readable.from((async function* () {
      for (const chunk of revived) {
        if (from === 'timers')
          await sleep(2)
        yield chunk
      }
      if (fails)
        throw new Error('The source failed.')
    })(), { objectMode: false })
  }

  readonly #revive = (value: unknown): unknown => {
    if (Array.isArray(value))
      return value.map(this.#revive)
    if (!isSpecial(value))
      return value
    switch (value.$) {
      case 'text': return value.character.repeat(value.length)
      case 'bytes': return Buffer.from(value.values)
      case 'error': return new Error(value.message)
      case 'map': return new Map(value.entries)
      case 'symbol': return Symbol('header')
      case 'function': return this.#toFunction('callback', value)
    }
  }

  #toFunction(name: string, special: Special): (...args: unknown[]) => void {
    let reactions = 0
    return (...args) => {
      this.log.event(name, args)
      // A listener that causes its own event would go on for ever.
      if (special.$ !== 'function' || ++reactions > 2)
        return
      if (special.reaction)
        void this.#take(special.reaction)
      if (special.throws) {
        const error = new Error(`thrown by a ${name}`)
        this.#onCrash(error)
        throw error
      }
    }
  }

  /** Waits until nothing more can happen, then closes the connection. */
  async #finish(held: () => Promise<unknown>): Promise<void> {
    await Promise.race([Promise.all(this.#sources), this.#closed, sleep(PATIENCE)])
    if (this.#scenario.steps.some(isIdleLimit))
      await sleep(40)
    await nextTurn()
    await this.#pause('closed')
    await held()
    await nextTurn()
    if (!this.#hasLeft)
      await this.#part()
    await this.#within(this.#client.gone, 'client waits for ever')
    this.#client.leave('leave')
    await this.#within(this.#socketClosed, 'connection never closes')
    await nextTurn()
    await nextTurn()
  }

  async #part(): Promise<void> {
    if (this.#res.closed || this.#res.destroyed) {
      await this.#within(this.#client.goOn(), 'second request waits for ever')
      return
    }
    this.log.event('never ends')
    this.#connection.end()
  }
}
