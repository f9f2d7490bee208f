import type { Failure } from '../error-response'

/** The JSON of Nitro 2 for an error. */
export function toErrorResponse({ statusCode, statusMessage, message }: Failure): { statusCode: number, statusMessage: string, body: string } {
  return { statusCode, statusMessage, body: JSON.stringify({ error: true, statusCode, statusMessage, message }, null, 2) }
}
