import type { H3Event } from 'h3'
import type { NitroApp } from 'nitropack/types'
import { isSessionError, SessionError } from '../../core/errors'

/**
 * Nitro's JSON error for a response that had already begun inside its handler, where Nitro's
 * own error handler can no longer answer. Logged and captured as Nitro does.
 */
export function toErrorResponse({ captureError }: NitroApp, event: H3Event, cause: unknown): { statusCode: number, statusMessage: string, body: string } {
  const error = isSessionError(cause) ? cause : new SessionError('COOKIE_ERROR', 'The response could not be sent.', { cause })
  captureError(error, { event, tags: ['request', 'session'] })
  if (error.unhandled)
    console.error(`[request error] [unhandled] [${event.method}] ${event.path}\n`, error)
  const { statusCode, statusMessage } = error
  const body = JSON.stringify({ error: true, statusCode, statusMessage, message: error.unhandled ? statusMessage : error.message }, null, 2)
  return { statusCode, statusMessage, body }
}
