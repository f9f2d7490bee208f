import { isSessionError, SessionError } from '../core/errors'

/** An error that is sent without the help of the app. */
export interface ErrorResponse {
  statusCode: number
  statusMessage: string
  body: string
}

/** What a visitor is told of an error. */
export interface Failure {
  statusCode: number
  statusMessage: string
  message: string
}

/** Why an error takes the place of a response that had already begun inside its handler. */
export function toSessionError(cause: unknown): SessionError {
  return isSessionError(cause) ? cause : new SessionError('COOKIE_ERROR', 'The response could not be sent.', { cause })
}

/** The server's own faults are for its log only. */
export function describeError({ statusCode, statusMessage, unhandled, message }: SessionError): Failure {
  return { statusCode, statusMessage, message: unhandled ? statusMessage : message }
}
