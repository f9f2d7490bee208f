import type { PeerKey, Result } from './results'
import type { Row } from './report'
import type { WorkloadName } from './workloads'
import { findResult } from './results'
import { WORKLOADS } from './workloads'

/** What the product sets itself, as a share of what another package adds to a request. */
interface Goal {
  workload: WorkloadName
  store: PeerKey['store']
  against: PeerKey
  atMost: number
}

const H3: PeerKey = { name: 'h3 `useSession`', store: 'encrypted cookie', framework: 'h3 v1' }
const SECURE_SESSION: PeerKey = { name: '@fastify/secure-session', store: 'encrypted cookie', framework: 'Fastify 5' }
const EXPRESS: PeerKey = { name: 'express-session', store: 'memory', framework: 'Express 5' }
const EXPRESS_REDIS: PeerKey = { name: 'express-session, connect-redis', store: 'Redis', framework: 'Express 5' }
const FASTIFY: PeerKey = { name: '@fastify/session', store: 'memory', framework: 'Fastify 5' }

/** The least that anybody has to do. */
function byHand(store: PeerKey['store']): PeerKey {
  return { name: 'by hand', store, framework: 'h3 v1' }
}

/** At most what another package adds, whatever is asked. */
function neverAbove(against: PeerKey): Goal[] {
  return WORKLOADS.map(({ name }) => ({ workload: name, store: against.store, against, atMost: 1 }))
}

const GOALS: readonly Goal[] = [
  { workload: 'read and write', store: 'encrypted cookie', against: byHand('encrypted cookie'), atMost: 1.15 },
  { workload: 'new session', store: 'encrypted cookie', against: byHand('encrypted cookie'), atMost: 1.2 },
  { workload: 'read', store: 'memory', against: byHand('memory'), atMost: 1.1 },
  { workload: 'read and write', store: 'memory', against: byHand('memory'), atMost: 1.4 },
  { workload: 'new session', store: 'memory', against: byHand('memory'), atMost: 1.5 },
  { workload: 'read and write', store: 'Redis', against: byHand('Redis'), atMost: 1.2 },
  { workload: 'read and write, 32 at once', store: 'Redis', against: byHand('Redis'), atMost: 1.2 },
  { workload: 'read and write', store: 'encrypted cookie', against: H3, atMost: 0.08 },
  { workload: 'read and write', store: 'memory', against: EXPRESS, atMost: 0.2 },
  { workload: 'read and write', store: 'Redis', against: EXPRESS_REDIS, atMost: 0.35 },
  { workload: 'read and write, 32 at once', store: 'Redis', against: EXPRESS_REDIS, atMost: 0.35 },
  { workload: '32 updates of one session', store: 'Redis', against: EXPRESS_REDIS, atMost: 0.5 },
  { workload: 'new session', store: 'encrypted cookie', against: H3, atMost: 0.04 },
  { workload: 'new session', store: 'memory', against: FASTIFY, atMost: 0.4 },
  ...neverAbove(SECURE_SESSION),
  ...neverAbove(FASTIFY),
]

/** Where the product runs; its options are in the name. */
export const SUBJECTS = [
  { title: 'Nitro 2', name: 'unsession', framework: 'Nitro 2' },
  { title: 'h3 v1', name: 'unsession/h3', framework: 'h3 v1' },
] as const

export type Subject = typeof SUBJECTS[number]

/** What one and the same app can differ from itself by, in one run. */
const INDISTINGUISHABLE = 1.1
/** A cookie that nobody asks for is not even read. */
const MAX_UNTOUCHED = 1.05
/** A visitor who is not remembered, against one who is. */
const MAX_STRANGER = 1.3
/** A request of h3 v2 does no more for its session than one of v1. */
const MAX_H3_V2 = 1.1
const MAX_GARBAGE = 8000
/** Microseconds. */
const MAX_FILES = 1000
const MAX_ID_COOKIE = 150
const MAX_SEALED_COOKIE = 420

/** Each goal with what was measured. Those that the run has nothing of are left out. */
export function judgeGoals(results: readonly Result[]): Row[] {
  return listGoals(results).filter(row => SUBJECTS.some(({ title }) => row[title] !== ''))
}

function listGoals(results: readonly Result[]): Row[] {
  const row = (what: string, goal: string, atMost: number, measure: (subject: Subject) => number | undefined): Row =>
    toGoalRow(what, goal, measure, value => value <= atMost)
  const ours = ({ name, framework }: Subject, store: PeerKey['store'], options = ''): Result | undefined =>
    findResult(results, { name: name + options, store, framework })
  return [
    ...GOALS.map(({ workload, store, against, atMost }) => row(`${workload}, ${store}`, `at most ${atMost} of ${against.name} (${against.framework})`, atMost, subject =>
      share(ours(subject, store)?.overheads[workload]?.p10, findResult(results, against)?.overheads[workload]?.p10))),
    row('read and write, files', `at most ${MAX_FILES} microseconds`, MAX_FILES, subject => ours(subject, 'files')?.overheads['read and write']?.p10),
    ...(['encrypted cookie', 'memory'] as const).flatMap(store => [
      row(`read, ${store}`, `of 1,200 visitors at most ${MAX_STRANGER} of one`, MAX_STRANGER, (subject) => {
        const overheads = ours(subject, store)?.overheads
        return share(overheads?.['read, of 1,200 visitors']?.p10, overheads?.read?.p10)
      }),
      row(`garbage of read and write, ${store}`, `at most ${MAX_GARBAGE} bytes`, MAX_GARBAGE, subject => ours(subject, store)?.overheads['read and write']?.garbage),
      ...(['read', 'read and write', 'new session'] as const).map(workload => row(`${workload}, ${store}`, `h3 v2 at most ${MAX_H3_V2} of h3 v1`, MAX_H3_V2, ({ name, framework }) => framework === 'h3 v1'
        ? share(findResult(results, { name, store, framework: 'h3 v2' })?.overheads[workload]?.p10, findResult(results, { name, store, framework })?.overheads[workload]?.p10)
        : undefined)),
    ]),
    row('carried, untouched, encrypted cookie', `at most ${MAX_UNTOUCHED} of bare`, MAX_UNTOUCHED, subject => ours(subject, 'encrypted cookie')?.overheads['carried, untouched']?.ratio),
    row('carried, untouched, memory, autoload off', `at most ${INDISTINGUISHABLE} of bare`, INDISTINGUISHABLE, subject => ours(subject, 'memory', ', autoload off')?.overheads['carried, untouched']?.ratio),
    ...(['memory', 'files', 'Redis'] as const).map(store => row(`lost of 64 updates at once, ${store}`, '0', 0, subject => ours(subject, store)?.checked.lost)),
    row('Set-Cookie of a read, any store', '0 bytes', 0, (subject) => {
      const reads = results.filter(({ name, framework }) => name === subject.name && framework === subject.framework).map(({ checked: { setCookie } }) => setCookie.read + setCookie.visitor)
      return reads.length > 0 ? Math.max(...reads) : undefined
    }),
    row('Set-Cookie with a signed id', `at most ${MAX_ID_COOKIE} bytes`, MAX_ID_COOKIE, subject => ours(subject, 'memory')?.checked.setCookie.new),
    row('Set-Cookie with 200 bytes of data, encrypted', `at most ${MAX_SEALED_COOKIE} bytes`, MAX_SEALED_COOKIE, subject => ours(subject, 'encrypted cookie')?.checked.setCookie.new),
  ]
}

function share(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || whole === undefined ? undefined : part / whole
}

/** A goal with what was measured of each subject. */
export function toGoalRow(what: string, goal: string, measure: (subject: Subject) => number | undefined, isMet: (value: number) => boolean): Row {
  return { what, goal, ...Object.fromEntries(SUBJECTS.map(subject => [subject.title, toVerdict(measure(subject), isMet)])) }
}

function toVerdict(value: number | undefined, isMet: (value: number) => boolean): string {
  if (value === undefined)
    return ''
  return `${Number.isInteger(value) ? value : value.toFixed(2)} ${isMet(value) ? '✓' : '✗'}`
}
