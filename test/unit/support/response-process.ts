import type { ChildProcess } from 'node:child_process'
import type { Order, Report, Treatment } from './response-driver'
import type { Observation } from './response-log'
import type { Scenario } from './response-scenario'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const JITI = fileURLToPath(new URL('../../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url))
const DRIVER = fileURLToPath(new URL('response-driver.ts', import.meta.url))

interface Waiting { order: Order, resolve(observation: Observation): void, reject(error: Error): void }

/** What is seen of a process that Node aborts, as it does for some misuse. */
const ABORTED: Observation = { log: [], request: [], second: [], client: ['the process is aborted'] }

/** The process whose servers answer as scenarios say. */
export class ResponseProcess {
  #child!: Promise<ChildProcess>
  readonly #waiting = new Map<number, Waiting>()
  #next = 0
  #isStopped = false
  #isAlone = false
  #suspects: Waiting[] = []

  constructor() {
    this.#start()
  }

  run(scenario: Scenario, treatment: Treatment): Promise<Observation> {
    const order = { id: this.#next++, scenario, treatment }
    return new Promise((resolve, reject) => this.#send({ order, resolve, reject }))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    const child = await this.#child
    child.disconnect()
    await once(child, 'exit')
  }

  #start(): void {
    const child = fork(JITI, [DRIVER], { serialization: 'advanced', execArgv: ['--no-warnings'], stdio: ['ignore', 'inherit', 'ignore', 'ipc'] })
    child.on('exit', () => this.#isStopped || this.#restart())
    this.#child = once(child, 'message').then(() => {
      child.on('message', ({ id, observation, problem }: Report) => {
        const waiting = this.#waiting.get(id)
        if (observation)
          waiting?.resolve(observation)
        else
          waiting?.reject(new Error(problem))
        this.#waiting.delete(id)
        this.#tryNext()
      })
      return child
    })
  }

  /** One of those that were on their way has ended the process: they are tried again, one by one. */
  #restart(): void {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    this.#start()
    if (this.#isAlone)
      waiting.shift()!.resolve(ABORTED)
    this.#suspects.push(...waiting)
    this.#isAlone = false
    this.#tryNext()
  }

  #tryNext(): void {
    this.#isAlone = false
    if (this.#suspects.length === 0 || this.#waiting.size > 0)
      return
    this.#isAlone = true
    this.#post(this.#suspects.shift()!)
  }

  #send(waiting: Waiting): void {
    if (this.#suspects.length > 0 || this.#isAlone)
      this.#suspects.push(waiting)
    else
      this.#post(waiting)
  }

  #post(waiting: Waiting): void {
    this.#waiting.set(waiting.order.id, waiting)
    void this.#child.then(child => child.send(waiting.order, () => {}))
  }
}
