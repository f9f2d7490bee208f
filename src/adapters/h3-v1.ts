import type { EventResponse } from '../http/exchange'
import type { NodeResponse } from '../http/node-response'
import { headersOf } from '../http/headers'

/** An event of h3 v1. */
export interface H3V1Event {
  context: object
  node: {
    req: { headers: { cookie?: string | undefined } }
    res: object
  }
}

export function describeV1({ node: { req, res } }: H3V1Event): EventResponse {
  const response = res as NodeResponse
  // Workers, Bun, Deno and internal requests get objects without a socket, which are read when
  // the handler has ended; held back, they would lose their body.
  const isMock = '__unenv__' in res
  return {
    headers: [headersOf(response)],
    node: isMock ? undefined : response,
    isFinished: false,
    get cookieHeader() { return req.headers.cookie },
    get isSent() { return response.headersSent || response.writableEnded },
    get haveHeadersLeft() { return !isMock && response.headersSent },
  }
}
