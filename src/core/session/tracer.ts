import type { Maybe } from '../maybe'
import type { SessionMode } from '../options'
import type { RejectReason } from '../types'
import type { SessionMachine } from './machine'
import type { MakePatch, Missing, Written } from './ports'

/** What a load came to: `none` is a request without a cookie of ours that verifies, `migrated` the session of another package. */
export type LoadOutcome = 'found' | 'migrated' | 'none' | 'expired' | Missing

/** Publishes what sessions do. Nothing of it is called while nobody listens to that. */
export interface Tracer {
  readonly hearsLoads: boolean
  readonly hearsCommits: boolean
  readonly hearsRejections: boolean
  load<O extends LoadOutcome>(mode: SessionMode, load: () => Maybe<O>): Maybe<O>
  /** @param commit stores what is pending */
  commit(machine: SessionMachine, makePatch: MakePatch | undefined, commit: () => Maybe<Written | undefined>): Maybe<Written | undefined>
  /** @param tell tells the hooks */
  reject(mode: SessionMode, reason: RejectReason, tell: () => Maybe<void>): Maybe<void>
}

/** Runs a load, and publishes it where somebody listens. With its argument apart, it makes no function where nobody does. */
export function traceLoad<A, O extends LoadOutcome>(machine: SessionMachine, load: (machine: SessionMachine, argument: A) => Maybe<O>, argument: A): Maybe<O> {
  const { tracer, options } = machine.context
  return tracer?.hearsLoads ? tracer.load(options.mode, () => load(machine, argument)) : load(machine, argument)
}
