import type { ErrorResponse, Failure } from '../../../http/error-response'

/** The JSON of Nitro 2 for an error. */
export function toErrorResponse({ statusCode, statusMessage, message }: Failure): ErrorResponse {
  return { statusCode, statusMessage, body: JSON.stringify({ error: true, statusCode, statusMessage, message }, null, 2) }
}
