import type { ErrorResponse } from '../http/error-response'
import type { EventResponse } from '../http/response-cookies'
import type { NodeResponse } from '../http/node-response'
import type { RequestAddress } from '../core/ports'
import type { HeaderList } from '../http/headers'
import { headersOf } from '../http/node-response'

/** An event of h3 v1. */
export interface H3V1Event {
  context: object
  /** True when the handler has answered, with a stream too. */
  readonly handled?: boolean
  node: {
    req: {
      headers: { 'cookie'?: string | undefined, 'host'?: string | undefined, ':authority'?: string | undefined }
      url?: string | undefined
      /** What h3 remembers when it takes a base off. */
      originalUrl?: string | undefined
    }
    res: object
  }
}

/**
 * Workers, Bun, Deno and internal requests get objects without a socket, which are read when
 * the handler has ended; held back, they would lose their body.
 */
export function isMock(res: object): boolean {
  return '__unenv__' in res
}

/** Answers before h3 does, which then leaves it at that. Where the response is not one of Node. */
export function answerV1({ node }: H3V1Event, { statusCode, statusMessage, body }: ErrorResponse): void {
  const res = node.res as NodeResponse
  Object.assign(res, { statusCode, statusMessage })
  res.setHeader('content-type', 'application/json')
  res.setHeader('cache-control', 'no-store')
  res.end(body)
}

export class V1Response implements EventResponse {
  #headers: readonly HeaderList[] | undefined
  readonly node: NodeResponse | undefined
  readonly isFinished = false
  readonly #event: H3V1Event
  readonly #res: NodeResponse

  constructor(event: H3V1Event) {
    const { res } = event.node
    this.#event = event
    this.#res = res as NodeResponse
    this.node = isMock(res) ? undefined : this.#res
  }

  get headers(): readonly HeaderList[] { return this.haveHeadersLeft ? [] : this.#headers ??= [headersOf(this.#res)] }
  get cookieHeader(): string | undefined { return this.#event.node.req.headers.cookie }
  get address(): RequestAddress {
    const { headers, originalUrl, url = '/' } = this.#event.node.req
    return { host: headers.host ?? headers[':authority'], path: originalUrl ?? url }
  }

  // The headers of a stream are read when its handler has ended, which nothing tells.
  get isSent(): boolean { return this.node ? this.#res.headersSent || this.#res.writableEnded : this.#event.handled === true || this.#res.writableEnded }
  get haveHeadersLeft(): boolean { return this.node !== undefined && this.#res.headersSent }
}
