import type { ServerApp, ServerEvent } from './app'
import { isSessionError, SessionError } from '../../core/errors'

/** What a visitor is told of an error. */
export interface Failure {
  statusCode: number
  statusMessage: string
  message: string
}

/**
 * An error that takes the place of a response which had already begun inside its handler, where
 * Nitro's own error handler can no longer answer. Logged and captured as Nitro does.
 */
export function reportFailure({ captureError }: ServerApp, event: ServerEvent, cause: unknown): Failure {
  const error = isSessionError(cause) ? cause : new SessionError('COOKIE_ERROR', 'The response could not be sent.', { cause })
  captureError(error, { event, tags: ['request', 'session'] })
  logFault(event, error)
  return describeError(error)
}

/** The server's own faults are for its log only. */
export function describeError({ statusCode, statusMessage, unhandled, message }: SessionError): Failure {
  return { statusCode, statusMessage, message: unhandled ? statusMessage : message }
}

/** Logs a fault of the server, in the words of Nitro 2. */
export function logFault(event: ServerEvent, error: SessionError): void {
  if (error.unhandled)
    console.error(`[request error] [unhandled] [${event.method}] ${event.path}\n`, error)
}
