import type { SocketHost, UpgradeRequest } from '../../http/sockets/upgrade'
import type { ErrorResponse, Failure } from '../../http/error-response'
import type { ServerEvent } from './app'
import type { ServerSessions } from './sessions'
import { reportFailure } from './error-response'
import { HookObserver } from './hook-observer'

export interface SocketHostOptions {
  server: ServerSessions
  /** The event that hooks are told of, and errors. */
  eventOf(request: UpgradeRequest): ServerEvent
  toErrorResponse(failure: Failure): ErrorResponse
}

/** What the WebSockets of a Nitro app share with its requests. */
export function createSocketHost({ server, eventOf, toErrorResponse }: SocketHostOptions): SocketHost {
  return {
    sessionsOf(request) {
      const event = eventOf(request)
      return {
        manager: overrides => server.managersOf(event).get(overrides),
        observer: new HookObserver(server.app, event),
      }
    },
    report: (request, error) => toErrorResponse(reportFailure(server.app, eventOf(request), error)),
  }
}
