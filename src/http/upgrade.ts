import type { BagOptions } from './bag'
import type { ErrorResponse } from './error-response'
import { isSessionError } from '../core/errors'
import { getBag, SessionBag, setBag } from './bag'
import { createExchange } from './exchange'
import { getSocket, SocketSessions, setSocket, withCookies } from './socket'

/** The request that opens a WebSocket, as crossws hands it to `upgrade`. */
export interface UpgradeRequest {
  readonly url: string
  readonly headers: Pick<Headers, 'get'>
  readonly context?: object
}

/** A WebSocket that is open. */
export interface Peer {
  readonly context: object
  readonly request?: UpgradeRequest
}

type Hook = (...args: never[]) => unknown

/** The hooks of crossws 0.3 and 0.4, by their shape. */
export type SocketHooks = Record<string, Hook | undefined>

/** What `upgrade` may return. */
type Answer = Response | { headers?: HeadersInit, context?: object } | undefined

type Cookies = SessionBag['cookies']

/** What a host gives to the WebSockets of one route. */
export interface SocketHost {
  sessionsOf(request: UpgradeRequest): Pick<BagOptions, 'manager' | 'observer'>
  /** Is told of an error that nobody else is going to see. Returns what the visitor is told. */
  report(request: UpgradeRequest, error: unknown): ErrorResponse
}

/** Gives hooks their sessions: to `upgrade` those of the request, to the others those of the connection. */
export function provideSocketSessions(hooks: SocketHooks, host: SocketHost): SocketHooks {
  const provided = Object.entries(hooks).map(([name, hook]) => [name, hook && provideTo(hook, host)])
  return {
    ...Object.fromEntries(provided),
    upgrade: (request: UpgradeRequest) => answerUpgrade(request, hooks.upgrade, host),
  }
}

/** Workers wake up with connections that have lost their context. */
function provideTo(hook: Hook, host: SocketHost): Hook {
  return (peer: Peer, ...args: unknown[]) => {
    if (!getSocket(peer.context) && peer.request)
      setSocket(peer.context, openSocket(peer.request, host))
    return (hook as (...args: unknown[]) => unknown)(peer, ...args)
  }
}

function openSocket(request: UpgradeRequest, host: SocketHost, cookies: Cookies = new Map()): SocketSessions {
  return new SocketSessions({
    ...host.sessionsOf(request),
    cookieHeader: withCookies(cookieHeaderOf(request), cookies),
    onFailure: error => void host.report(request, error),
  })
}

async function answerUpgrade(request: UpgradeRequest, hook: Hook | undefined, host: SocketHost): Promise<Answer> {
  // crossws 0.4 makes none of its own.
  const context = request.context ?? {}
  if (!request.context)
    Object.defineProperty(request, 'context', { value: context, enumerable: true })
  const { bag, close } = openUpgrade(request, host)
  setBag({ context }, bag)
  const answer = await runHook(request, bag, hook, host).finally(close)
  const socket = openSocket(request, host, bag.cookies)
  // The connection has this context in crossws 0.3, and one with what is returned in 0.4.
  setSocket(context, socket)
  if (answer instanceof Response)
    return completeResponse(request, bag, answer)
  const headers = new Headers(answer?.headers)
  bag.finish(request, headers)
  return { ...answer, headers, context: setSocket({ ...answer?.context }, socket) }
}

/** The sessions of the request, which can change until it is answered. */
function openUpgrade(request: UpgradeRequest, { sessionsOf, report }: SocketHost): { bag: SessionBag, close(): void } {
  // h3 v2 runs its middleware for the request first, but what that answers is never sent.
  const cookies: Cookies = getBag(request.context)?.cookies ?? new Map()
  let isAnswered = false
  const bag: SessionBag = new SessionBag({
    ...sessionsOf(request),
    owner: request,
    exchange: createExchange({
      cookieHeader: withCookies(cookieHeaderOf(request), cookies),
      headers: [],
      node: undefined,
      isFinished: true,
      get isSent() { return isAnswered },
      get haveHeadersLeft() { return isAnswered },
    }, { cookies, settle: () => bag.settle(), onFailure: error => report(request, error) }),
  })
  return { bag, close: () => void (isAnswered = true) }
}

/** Runs `upgrade` and waits for storage. To throw a response is to answer; errors of ours become one. */
async function runHook(request: UpgradeRequest, bag: SessionBag, hook: Hook | undefined, { report }: SocketHost): Promise<Answer> {
  try {
    const answer = await run(request, hook)
    await bag.settle()
    return answer
  }
  catch (error) {
    if (!isSessionError(error)) {
      await bag.settle()?.catch(failure => report(request, failure))
      throw error
    }
    const { statusCode, statusMessage, body } = report(request, error)
    return new Response(body, { status: statusCode, statusText: statusMessage, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } })
  }
}

async function run(request: UpgradeRequest, hook: Hook | undefined): Promise<Answer> {
  try {
    return await (hook as ((request: UpgradeRequest) => Promise<Answer>) | undefined)?.(request)
  }
  catch (error) {
    const answer = (error as { response?: unknown } | undefined)?.response ?? error
    if (answer instanceof Response)
      return answer
    throw error
  }
}

/** Most responses refuse the upgrade; to crossws 0.3 those of success are headers for it. */
function completeResponse(request: UpgradeRequest, bag: SessionBag, response: Response): Response {
  const hasCookies = [...bag.cookies.values()].some(header => header !== undefined)
  // On Node crossws 0.3 escapes the headers of a refusal: the browser would keep a cookie without a name.
  if (!hasCookies || ('_req' in request && !response.ok))
    return response
  // The headers of a response that was fetched cannot be changed.
  const answer = new Response(response.body, response)
  bag.finish(request, answer.headers)
  return answer
}

function cookieHeaderOf({ headers }: UpgradeRequest): string | undefined {
  return headers.get('cookie') ?? undefined
}
