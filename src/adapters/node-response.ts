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

export interface HoldOptions {
  /** What the first byte must wait for; `undefined` when there is nothing. */
  settle(): Promise<void> | undefined
  /** Called right before the headers leave, to give the last word on them. */
  finish(): void
  /** The response to send when `settle` rejects. */
  toErrorResponse(error: unknown): { statusCode: number, statusMessage: string, body: string }
}

export interface HeldResponse {
  /** True when the headers have left and can no longer change. */
  readonly isReleased: boolean
}

const METHODS = ['writeHead', 'write', 'end', 'flushHeaders'] as const
type Method = typeof METHODS[number]
interface Call { method: Method, args: unknown[] }

/** Headers that described a body which is not sent. */
const BODY_HEADERS = ['content-length', 'content-encoding', 'content-range', 'content-disposition', 'transfer-encoding', 'accept-ranges', 'etag', 'last-modified', 'location', 'cache-control']

/**
 * Makes a Node response wait: whatever starts it (a returned value, a redirect, a stream, a
 * direct `res.end`) is kept until `settle` resolved and then done in the same order. When
 * `settle` rejects, an error is sent in its place and everything else is dropped.
 */
export function holdNodeResponse(res: NodeResponse, options: HoldOptions): HeldResponse {
  const original = {} as Record<Method, (...args: unknown[]) => unknown>
  const kept: Call[] = []
  let state: 'open' | 'held' | 'released' | 'failed' = 'open'

  const perform = ({ method, args }: Call): unknown => {
    if (state === 'released')
      return original[method](...args)
    state = 'released'
    const first = method === 'writeHead' ? hoistSetCookie(res, args) : args
    options.finish()
    return original[method](...first)
  }
  const release = (): void => {
    // Until now the headers could change, and so could the session.
    const more = options.settle()
    if (more) {
      more.then(release).catch(fail)
      return
    }
    kept.forEach(perform)
    // Whoever was told to wait by `write` goes on, unless Node itself will say when.
    if (kept.some(({ method }) => method === 'write') && !res.writableNeedDrain)
      res.emit('drain')
  }
  const fail = (error: unknown): void => {
    if (state === 'released') {
      res.destroy(error)
      return
    }
    options.finish()
    const { statusCode, statusMessage, body } = options.toErrorResponse(error)
    BODY_HEADERS.forEach(name => res.removeHeader(name))
    res.statusCode = statusCode
    res.statusMessage = statusMessage
    res.setHeader('content-type', 'application/json')
    res.setHeader('cache-control', 'no-store')
    // `end` comes back to `writeHead` for the headers it implies.
    state = 'released'
    original.end(body)
    state = 'failed'
    kept.forEach(callBack)
  }
  const intercept = (call: Call): unknown => {
    if (state === 'open') {
      const settled = options.settle()
      if (!settled)
        return perform(call)
      state = 'held'
      settled.then(release).catch(fail)
    }
    if (state === 'released')
      return perform(call)
    if (state === 'failed')
      callBack(call)
    else
      kept.push(call)
    return call.method === 'write' ? state === 'failed' : res
  }
  for (const method of METHODS) {
    const implementation = res[method]
    if (implementation) {
      original[method] = implementation.bind(res)
      res[method] = (...args: unknown[]) => intercept({ method, args })
    }
  }
  reportHeldAsSent(res, () => state === 'held' || state === 'failed')
  return {
    get isReleased() { return state === 'released' || state === 'failed' },
  }
}

/** To its handler a held response has begun: h3 must not answer it a second time. */
function reportHeldAsSent(res: NodeResponse, isHeld: () => boolean): void {
  let prototype = Object.getPrototypeOf(res)
  while (prototype && !Object.hasOwn(prototype, 'headersSent'))
    prototype = Object.getPrototypeOf(prototype)
  const getter = Object.getOwnPropertyDescriptor(prototype ?? {}, 'headersSent')?.get
  Object.defineProperty(res, 'headersSent', {
    configurable: true,
    get: () => isHeld() || getter?.call(res) === true,
  })
}

/** A `set-cookie` given to `writeHead` would replace the cookies that are set: it is added to them. */
function hoistSetCookie(res: NodeResponse, args: unknown[]): unknown[] {
  const headers = args.at(-1)
  if (typeof headers !== 'object' || headers === null)
    return args
  const flat: unknown[] = Array.isArray(headers) ? headers : Object.entries(headers).flat()
  const isCookieAt = (index: number): boolean => String(flat[index - index % 2]).toLowerCase() === 'set-cookie'
  const cookies = flat.flatMap((value, index) => index % 2 === 1 && isCookieAt(index) ? value as string | string[] : [])
  if (cookies.length === 0)
    return args
  const present = [res.getHeader('set-cookie') ?? []].flat().map(String)
  res.setHeader('set-cookie', [...new Set([...present, ...cookies.map(String)])])
  const others = Array.isArray(headers)
    ? flat.filter((_, index) => !isCookieAt(index))
    : Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'set-cookie'))
  return [...args.slice(0, -1), others]
}

/** Tells a writer that its chunk is done with. */
function callBack({ args }: Call): void {
  const callback = args.at(-1)
  if (typeof callback === 'function')
    queueMicrotask(() => callback())
}
