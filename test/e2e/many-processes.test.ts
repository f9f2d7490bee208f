import type { NitroBuild, RunningServer } from '../support/nitro'
import type { RunningRedis } from '../support/redis'
import type { HammerPlan, HammerReport } from './support/hammer'
import type { LossyLink } from './support/lossy-link'
import Redis from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildNitro, startServer } from '../support/nitro'
import { hasRedis, startRedis } from '../support/redis'
import { PATIENT } from '../support/trouble'
import { Hammer } from './support/hammer'
import { startLossyLink } from './support/lossy-link'

const MAX_AGE_MS = 60 * 60 * 1000
/** A replaced id is remembered for 10 s; what lives longer is a session. */
const REPLACED_MS = 10_000
/** What Redis answers for a key that expired since it was listed. */
const GONE = -2
/** Up to here a loaded machine; not a claim about speed. */
const PATIENCE_MS = 1_800_000

const OPERATIONS = 20_000
const PROCESSES = 4

let built: NitroBuild
let redis: RunningRedis
let servers: RunningServer[]
let report: HammerReport

/** False as soon as the test sends the signal: what is under way may be cut off. */
const isUp = ({ process }: RunningServer): boolean => !process.killed

async function run(url: string, plan: Partial<HammerPlan> = {}, env: Record<string, string> = {}): Promise<void> {
  servers = await Promise.all(Array.from({ length: PROCESSES }, () => startServer(built.entry, { NITRO_SESSION_STORAGE_URL: url, ...env })))
  const origins = (): string[] => servers.filter(isUp).map(({ url }) => url)
  report = await new Hammer({ origins, clients: 64, sessions: 200, operations: OPERATIONS, ...plan }).run()
}

async function end(): Promise<void> {
  await Promise.all((servers ?? []).map(server => server.stop()))
  await redis?.stop()
}

/** How many milliseconds every key in Redis has left; -1 for ever. */
async function lifetimes(): Promise<number[]> {
  const client = new Redis(redis.url)
  const lifetimes: number[] = []
  for await (const keys of client.scanStream({ count: 1000 }))
    lifetimes.push(...await Promise.all((keys as string[]).map(key => client.pttl(key))))
  client.disconnect()
  return lifetimes.filter(lifetime => lifetime !== GONE)
}

/** What helps to find out what went wrong. */
const told = (): string => `HAMMER_SEED=${report.seed}; ${JSON.stringify(report.statuses)}`

/** What holds with and without disasters. */
function itKeepsEverything(): void {
  it('does every kind of work', () => {
    expect(Object.keys(report.acknowledged).sort()).toEqual(['delete', 'destroy', 'increment', 'log in', 'read', 'read a message', 'read at the end', 'regenerate', 'set', 'write a message'])
  })

  it('keeps every acknowledged increment, key and deletion, and nothing else', () => {
    expect(report.violations.changes, told()).toEqual([])
  })

  it('ends what was destroyed or replaced, and nothing else', () => {
    expect(report.violations.ends, told()).toEqual([])
  })

  it('shows every message to one reader', () => {
    expect(report.violations.messages, told()).toEqual([])
  })

  it('answers with no other error than 401, 409 and 503', () => {
    expect(report.violations.answers, told()).toEqual([])
  })

  it('never gives up on a conflict', () => {
    expect(report.statuses).not.toHaveProperty('409')
  })

  it('leaves no key without a lifetime in Redis', async () => {
    const all = await lifetimes()
    expect(all.length).toBeGreaterThan(0)
    expect(all.filter(lifetime => lifetime < 0 || lifetime > MAX_AGE_MS)).toEqual([])
  })

  it('prints no unhandled rejection and keeps the processes up', () => {
    const output = servers.map(server => server.output()).join('\n')
    expect(output).not.toMatch(/unhandled ?rejection|uncaught ?exception/i)
    expect(servers.filter(({ process }) => process.exitCode !== null)).toEqual([])
  })
}

describe.runIf(hasRedis())('four processes and one Redis under 64 clients', () => {
  beforeAll(async () => {
    built = await buildNitro('nitro-hammer')
  }, PATIENCE_MS)
  afterAll(() => built?.remove())

  describe('when nothing fails', () => {
    beforeAll(async () => {
      redis = await startRedis()
      await run(redis.url, {}, PATIENT)
    }, PATIENCE_MS)
    afterAll(end)

    itKeepsEverything()

    it('answers every request', () => {
      expect(Object.keys(report.statuses).sort()).toEqual(['200', '401'])
    })

    it('leaves nothing behind but the sessions that answer', async () => {
      expect((await lifetimes()).filter(lifetime => lifetime > REPLACED_MS)).toHaveLength(report.alive)
    })
  })

  describe('when Redis is killed and started again, and then a process is killed', () => {
    beforeAll(async () => {
      redis = await startRedis({ isLasting: true })
      const killRedis = {
        after: OPERATIONS / 3,
        async strike(hammer: Hammer) {
          await redis.kill()
          await hammer.failures(200)
          await redis.restart()
        },
      }
      const killProcess = {
        after: OPERATIONS * 2 / 3,
        async strike() {
          servers[0]!.process.kill('SIGKILL')
        },
      }
      await run(redis.url, { disasters: [killRedis, killProcess] })
    }, PATIENCE_MS)
    afterAll(end)

    itKeepsEverything()

    it('fails while Redis is gone, and when a process dies, but not otherwise', () => {
      expect(report.statuses[503]).toBeGreaterThan(0)
      expect(servers.map(({ process }) => process.signalCode)).toEqual(['SIGKILL', null, null, null])
    })
  })

  describe('when connections to Redis break before the answer arrives', () => {
    let link: LossyLink
    beforeAll(async () => {
      redis = await startRedis()
      link = await startLossyLink(redis.port, 200)
      await run(link.url, { operations: OPERATIONS / 4 })
    }, PATIENCE_MS)
    afterAll(async () => {
      await end()
      link?.close()
    })

    itKeepsEverything()

    it('has lost answers', () => {
      expect(link.losses()).toBeGreaterThan(10)
    })
  })
})
