import type { SocketHost, UpgradeRequest } from '../../http/upgrade'
import type { ErrorResponse, Failure } from '../../http/error-response'
import type { ServerApp, ServerEvent } from './app'
import type { SessionsOf } from './sessions'
import { reportFailure } from './error-response'

export interface SocketHostOptions {
  app: ServerApp
  sessionsOf: SessionsOf
  /** The event that hooks are told of, and errors. */
  eventOf(request: UpgradeRequest): ServerEvent
  toErrorResponse(failure: Failure): ErrorResponse
}

/** What the WebSockets of a Nitro app share with its requests. */
export function createSocketHost({ app, sessionsOf, eventOf, toErrorResponse }: SocketHostOptions): SocketHost {
  return {
    sessionsOf: request => sessionsOf(eventOf(request)),
    report: (request, error) => toErrorResponse(reportFailure(app, eventOf(request), error)),
  }
}
