import type { ErrorResponse, Failure } from '../../../http/error-response'
import type { ServerEvent } from '../app'
import { HTTPError } from 'nitro/h3'
import { isSessionError } from '../../../core/errors'
import { describeError } from '../../../http/error-response'
import { logFault } from '../error-response'

/**
 * An error of ours as one that Nitro 3 answers with its status: all others are a 500 to it.
 * What it hides from the visitor is logged here, since Nitro takes the error for one that was
 * meant for the visitor.
 */
export function toHTTPError(event: ServerEvent, error: unknown): unknown {
  if (!isSessionError(error))
    return error
  logFault(event, error)
  const { statusCode: status, statusMessage: statusText, message } = describeError(error)
  const { stack } = error
  return Object.assign(new HTTPError({ status, statusText, message }), { cause: error, stack })
}

/** The JSON of Nitro 3 for an error. */
export function toErrorResponse({ statusCode, statusMessage, message }: Failure): ErrorResponse {
  return { statusCode, statusMessage, body: JSON.stringify({ error: true, status: statusCode, statusText: statusMessage, message }, null, 2) }
}
