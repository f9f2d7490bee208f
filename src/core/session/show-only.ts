import type { Session } from '../types'
import type { SessionMachine } from './machine'
import type { Present } from './state'
import { endedError } from './guards'
import { createHandle } from './handle'

/** A handle that only shows what was. */
export function showOnly({ context }: SessionMachine, session: Present): Session {
  const refuse = (): never => {
    throw endedError()
  }
  return createHandle({
    session,
    record: session.content.record(context.now(), context.options),
    change: refuse,
    update: refuse,
    regenerate: refuse,
    destroy: refuse,
    reload: refuse,
    save: refuse,
  })
}
