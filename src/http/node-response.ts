import type { HeaderList } from './headers'

/** The part of Node's `ServerResponse` that is used; `Http2ServerResponse` has it too. */
export interface NodeResponse {
  statusCode: number
  statusMessage: string
  readonly headersSent: boolean
  readonly writableEnded: boolean
  readonly writableNeedDrain?: boolean
  getHeader(name: string): number | string | string[] | undefined
  setHeader(name: string, value: number | string | readonly string[]): unknown
  removeHeader(name: string): void
  getHeaderNames(): string[]
  writeHead(...args: unknown[]): unknown
  write(...args: unknown[]): unknown
  end(...args: unknown[]): unknown
  flushHeaders?(...args: unknown[]): unknown
  emit(event: string, ...args: unknown[]): boolean
  destroy(error?: unknown): unknown
}

/** The headers of a Node response, as those of the Fetch standard. */
export function headersOf(res: NodeResponse): HeaderList {
  return new NodeHeaders(res)
}

class NodeHeaders implements HeaderList {
  readonly #res: NodeResponse

  constructor(res: NodeResponse) {
    this.#res = res
  }

  get(name: string): string | null {
    const value = this.#res.getHeader(name)
    return value === undefined ? null : Array.isArray(value) ? value.join(', ') : String(value)
  }

  set(name: string, value: string): void {
    this.#res.setHeader(name, value)
  }

  append(name: string, value: string): void {
    this.#res.setHeader(name, [...toList(this.#res.getHeader(name)), value])
  }

  delete(name: string): void {
    this.#res.removeHeader(name)
  }

  getSetCookie(): string[] {
    return toList(this.#res.getHeader('set-cookie'))
  }

  keys(): ReturnType<Headers['keys']> {
    return this.#res.getHeaderNames().values() as ReturnType<Headers['keys']>
  }
}

/** The cookies that a Node response has now. */
export function cookiesOf(res: NodeResponse): readonly string[] {
  return toList(res.getHeader('set-cookie'))
}

function toList(value: number | string | string[] | undefined): string[] {
  if (value === undefined)
    return []
  return Array.isArray(value) ? value.map(String) : [String(value)]
}
