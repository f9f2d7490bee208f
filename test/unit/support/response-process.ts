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

/** Into so many groups those are split that may have ended the process. */
const GROUPS = 20

/** What is seen of a process that Node aborts, as it does for some misuse. */
const ABORTED: Observation = { log: [], request: [], second: [], client: ['the process is aborted'] }

/** The process whose servers answer as scenarios say. */
export class ResponseProcess {
  #child!: Promise<ChildProcess>
  readonly #waiting = new Map<number, Waiting>()
  #next = 0
  #isStopped = false
  /** Those that may end the process; each group is tried by itself. */
  #suspects: Waiting[][] = []
  /** Those that wait until all suspects were tried. */
  #later: Waiting[] = []
  #isTrying = false

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

  /** One of those that were on their way has ended the process: they are tried again, fewer at a time. */
  #restart(): void {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    this.#start()
    if (waiting.length === 1)
      waiting[0]!.resolve(ABORTED)
    else
      this.#suspects.unshift(...split(waiting, Math.ceil(waiting.length / GROUPS)))
    this.#isTrying = true
    this.#tryNext()
  }

  #tryNext(): void {
    if (!this.#isTrying || this.#waiting.size > 0)
      return
    const group = this.#suspects.shift()
    this.#isTrying = group !== undefined
    for (const waiting of group ?? this.#later.splice(0))
      this.#post(waiting)
  }

  #send(waiting: Waiting): void {
    if (this.#isTrying)
      this.#later.push(waiting)
    else
      this.#post(waiting)
  }

  #post(waiting: Waiting): void {
    this.#waiting.set(waiting.order.id, waiting)
    void this.#child.then(child => child.send(waiting.order, () => {}))
  }
}

function split<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) => list.slice(index * size, (index + 1) * size))
}
