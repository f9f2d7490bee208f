import type { TracingChannel } from 'node:diagnostics_channel'
import type { Maybe } from './maybe'
import type { SessionMode } from './options'
import type { SessionMachine } from './session/machine'
import type { LoadOutcome, Tracer } from './session/tracer'
import type { RejectReason } from './types'
import { isSessionError } from './errors'
import { isOnlyTouch } from './record/patch'
import { hasUnsaved } from './session/committing'
import { presentIn } from './session/state'

/**
 * Why something failed, for a trace: an error whose message is the same for all of its kind.
 * The one that was thrown may name keys, and that of a driver even hold an id.
 */
export interface TracedError extends Error {
  /** That of the `SessionError`; missing for what a function or a hook of the app threw. */
  readonly code?: string
}

/** What all messages of a tracing channel have. */
interface Trace<R> {
  readonly mode: SessionMode
  /** There when all went well: at `end` for what was done at once, otherwise at `asyncStart` and `asyncEnd`. */
  result?: R
  /** There when it failed. */
  error?: TracedError
}

/** What the channels `tracing:unsession:load:*` tell. */
export interface LoadTrace extends Trace<LoadOutcome> {}

/** What a write is for; `touch` keeps a session alive that was only read. */
export type CommitAction = 'create' | 'update' | 'touch' | 'regenerate' | 'destroy'

/** What the channels `tracing:unsession:commit:*` tell. */
export interface CommitTrace extends Trace<'written' | 'unchanged'> {
  readonly action: CommitAction
}

/** What the channels `tracing:unsession:reject:*` tell. */
export interface RejectTrace extends Trace<'told'> {
  readonly reason: RejectReason
}

/** What any of our tracing channels tells. It holds no id, cookie or data, no name of a key, and no secret. */
export type SessionTrace = LoadTrace | CommitTrace | RejectTrace

/** Publishes to the tracing channels of `node:diagnostics_channel`; `undefined` where there are none. */
export function createTracer(): Tracer | undefined {
  try {
    const { tracingChannel } = globalThis.process.getBuiltinModule('node:diagnostics_channel')
    const loads = new Channel<LoadTrace>(tracingChannel('unsession:load'))
    const commits = new Channel<CommitTrace>(tracingChannel('unsession:commit'))
    const rejections = new Channel<RejectTrace>(tracingChannel('unsession:reject'))
    return {
      get hearsLoads() { return loads.isHeard },
      get hearsCommits() { return commits.isHeard },
      get hearsRejections() { return rejections.isHeard },
      load: (mode, load) => loads.trace({ mode }, load, outcome => outcome),
      commit(machine, makePatch, commit) {
        const { options: { mode } } = machine.context
        const hasRemovals = machine.state.removals.length > 0
        const action = actionOf(machine, makePatch !== undefined)
        return commits.trace({ mode, action }, commit, written => hasRemovals || written?.isChanged ? 'written' : 'unchanged')
      },
      reject: (mode, reason, tell) => rejections.trace({ mode, reason }, tell, () => 'told'),
    }
  }
  catch {
    return undefined
  }
}

function actionOf(machine: SessionMachine, isUpdate: boolean): CommitAction {
  const session = presentIn(machine.state)
  if (!isUpdate && !hasUnsaved(machine))
    return 'destroy'
  if (session?.kind !== 'live')
    return session?.replaces ? 'regenerate' : 'create'
  return !isUpdate && isOnlyTouch(session.content.changes) ? 'touch' : 'update'
}

/** One tracing channel, for what may be done at once. Those of Node either make a promise of all, or publish what comes out. */
class Channel<T extends Trace<unknown>> {
  readonly #channels: TracingChannel<unknown, T>

  constructor(channels: TracingChannel<unknown, T>) {
    this.#channels = channels
  }

  /** That of the tracing channel itself is missing in Bun. */
  get isHeard(): boolean {
    const { start, end, asyncStart, asyncEnd, error } = this.#channels
    return start.hasSubscribers || end.hasSubscribers || asyncStart.hasSubscribers || asyncEnd.hasSubscribers || error.hasSubscribers
  }

  /** @param resultOf what is told of what came out */
  trace<R>(trace: T, task: () => Maybe<R>, resultOf: (value: R) => T['result']): Maybe<R> {
    const { start, end, asyncStart, asyncEnd } = this.#channels
    // Whatever listeners did to what they were given, no request fails by it: `Reflect.set` throws nothing.
    const succeed = (value: R): R => {
      Reflect.set(trace, 'result', resultOf(value))
      return value
    }
    const endLater = (): void => {
      asyncStart.publish(trace)
      asyncEnd.publish(trace)
    }
    // Whoever bound a store to it, such as the context of OpenTelemetry, has it in all of the task.
    return start.runStores(trace, () => {
      try {
        const value = task()
        if (!(value instanceof Promise))
          return succeed(value)
        return value.then(succeed, error => this.#fail(trace, error)).finally(endLater)
      }
      catch (error) {
        return this.#fail(trace, error)
      }
      finally {
        end.publish(trace)
      }
    })
  }

  #fail(trace: T, error: unknown): never {
    Reflect.set(trace, 'error', withoutContent(error))
    this.#channels.error.publish(trace)
    throw error
  }
}

function withoutContent(error: unknown): TracedError {
  if (!isSessionError(error))
    return new Error('A function or a hook of the app failed.')
  const { code } = error
  return Object.assign(new Error(`The session failed with ${code}.`), { name: 'SessionError', code })
}
