import { isSessionError, SessionError } from '../core/errors'

/** An error that is sent without the help of the app. */
export interface ErrorResponse {
  statusCode: number
  statusMessage: string
  body: string
}

/**
 * The JSON error for a response that had already begun inside its handler, where the app's own
 * error handler can no longer answer.
 *
 * @param report is told first
 */
export function toErrorResponse(cause: unknown, report: (error: SessionError) => void): ErrorResponse {
  const error = isSessionError(cause) ? cause : new SessionError('COOKIE_ERROR', 'The response could not be sent.', { cause })
  report(error)
  const { statusCode, statusMessage } = error
  const body = JSON.stringify({ error: true, statusCode, statusMessage, message: error.unhandled ? statusMessage : error.message }, null, 2)
  return { statusCode, statusMessage, body }
}
