import type { SessionError } from '../../core/errors'
import type { Failure } from '../../http/error-response'
import type { ServerApp, ServerEvent } from './app'
import { describeError, toSessionError } from '../../http/error-response'

/**
 * An error that takes the place of a response which had already begun inside its handler, where
 * Nitro's own error handler can no longer answer. Logged and captured as Nitro does.
 */
export function reportFailure({ captureError }: ServerApp, event: ServerEvent, cause: unknown): Failure {
  const error = toSessionError(cause)
  captureError(error, { event, tags: ['request', 'session'] })
  logFault(event, error)
  return describeError(error)
}

/** A change that no response waited for, and that could not be stored: nobody else hears of it. */
export function reportUnsaved({ captureError }: ServerApp, event: ServerEvent, error: unknown): void {
  captureError(error as Error, { event, tags: ['request', 'session'] })
  console.error(`[unsession] [${event.method}] ${event.path}\n`, error)
}

/** Logs a fault of the server, in the words of Nitro 2. */
export function logFault(event: ServerEvent, error: SessionError): void {
  if (error.unhandled)
    console.error(`[request error] [unhandled] [${event.method}] ${event.path}\n`, error)
}
