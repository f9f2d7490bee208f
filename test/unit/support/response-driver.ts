import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import type { NodeResponse } from '../../../src/http/node-response'
import type { Client } from './response-client'
import type { Observation } from './response-log'
import type { Scenario } from './response-scenario'
import { AsyncLocalStorage } from 'node:async_hooks'
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { holdNodeResponse } from '../../../src/http/held-response/index'
import { ask } from './response-client'
import { showError } from './response-log'
import { recordResponse } from './response-recorded'
import { Run } from './response-run'

/** How the response is treated that a scenario describes. `recorded` is a hold that does not do. */
export type Treatment = 'plain' | 'held' | 'recorded'

/** What the test asks of this process, and the answer. */
export interface Order { id: number, scenario: Scenario, treatment: Treatment }
export interface Report {
  id: number
  observation?: Observation
  /** Why there is none: a fault of the test itself. */
  problem?: string
}

interface Job extends Order {
  run: Run
  client: Client
  finish(report: Omit<Report, 'id'>): void
}

const jobs = new Map<string, Job>()
const context = new AsyncLocalStorage<Run>()
const thrown = new WeakMap<Error, Run>()

// A process of its own: what a response throws where nobody catches it is part of what is seen.
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    const run = error instanceof Error && thrown.get(error) || context.getStore()
    if (run)
      run.log.event(event, [error])
    else
      console.error(`${event} of no run: ${showError(error)}\n${(error as Error).stack}`)
  })
}

/** Lets a response wait as the scenario says; the result resolves when it waits no longer. */
function hold(res: ServerResponse, waits: readonly number[], treatment: Treatment): () => Promise<unknown> {
  const left = [...waits]
  let settled: Promise<void> | undefined
  const settle = (): Promise<void> | undefined => {
    const wait = settled ? undefined : left.shift()
    if (wait !== undefined) {
      settled = sleep(wait).then(() => {
        settled = undefined
      })
    }
    return settled
  }
  if (treatment === 'held')
    holdNodeResponse(res as unknown as NodeResponse, { flush: settle, finish() {}, toErrorResponse: () => ({ statusCode: 503, statusMessage: '', body: '' }) })
  if (treatment === 'recorded')
    recordResponse(res, settle)
  const settlement = async (): Promise<void> => {
    if (!settled)
      return
    await settled
    await sleep(0)
    return settlement()
  }
  return settlement
}

const listener = (req: IncomingMessage, res: ServerResponse): void => {
  const [, id = '', isSecond] = req.url!.split('/')
  const job = jobs.get(id)
  if (!job)
    return void res.destroy()
  const { scenario, treatment, run, client } = job
  context.run(run, async () => {
    if (isSecond) {
      hold(res, scenario.waits.slice(0, 1), treatment)
      for (const event of ['finish', 'close'])
        res.on(event, () => run.second.push(event))
      res.end('second')
    }
    else {
      if (client.sent)
        await client.sent
      void run.answer(req, res, hold(res, scenario.waits, treatment))
        .then(observation => job.finish({ observation }), error => job.finish({ problem: String(error.stack) }))
    }
  })
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const ports = {
  http1: await listen(createServer(listener)),
  http2: await listen(createHttp2Server(listener as unknown as Parameters<typeof createHttp2Server>[0] & RequestListener)),
}

process.on('message', ({ id, scenario, treatment }: Order) => {
  const path = `/${id}`
  const client: Client = ask(scenario, { port: ports[scenario.protocol], path })
  const run = new Run(scenario, client, error => thrown.set(error, run))
  jobs.set(String(id), {
    id,
    scenario,
    treatment,
    run,
    client,
    finish(report) {
      jobs.delete(String(id))
      process.send!({ id, ...report } satisfies Report)
    },
  })
})
process.on('disconnect', () => process.exit())
process.send!('ready')
