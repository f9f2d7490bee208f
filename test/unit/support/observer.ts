import type { SessionObserver } from '../../../src/core/ports'
import type { RejectReason, Session, SessionEventName } from '../../../src/core/types'

/** Writes down what it is told. */
export class Recorder implements SessionObserver {
  readonly events: (SessionEventName | RejectReason)[] = []
  readonly sessions: Session[] = []

  session(name: SessionEventName, session: Session): void {
    this.events.push(name)
    this.sessions.push(session)
  }

  rejected(reason: RejectReason): void {
    this.events.push(reason)
  }
}
