import type { ErrorResponse } from '../error-response'
import type { EventHost } from '../event-sessions'
import type { CookieLines } from '../response-cookies'
import { isSessionError } from '../../core/errors'
import { orElse } from '../../core/maybe'
import { EventSessions } from '../event-sessions'
import { connectionIn, setConnection, setOwnSessions } from '../find-sessions'
import { isRefusal } from '../require-session'
import { ResponseCookies } from '../response-cookies'
import { SocketSessions, withCookies } from './connection'

/** The request that opens a WebSocket, as crossws hands it to `upgrade`. */
export interface UpgradeRequest {
  readonly url: string
  readonly headers: Pick<Headers, 'get'>
  readonly context?: object | undefined
}

/** A WebSocket that is open. */
export interface Peer {
  readonly context: object
  readonly request?: UpgradeRequest | undefined
}

interface OpenPeer extends Peer {
  close(code: number, reason: string): void
}

type Hook = (...args: never[]) => unknown

/** The hooks of crossws 0.3 and 0.4, by their shape. */
export type SocketHooks = Record<string, Hook | undefined>

/** What `upgrade` may return. */
type Answer = Response | { headers?: HeadersInit, context?: object } | undefined

/** What a host gives to the WebSockets of one route. */
export interface SocketHost {
  sessionsOf(request: UpgradeRequest): Pick<EventHost, 'manager' | 'observer'>
  /** Cookies for the answer to the upgrade that were set before its hook runs. */
  cookiesOf?(request: UpgradeRequest): CookieLines
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

function provideTo(hook: Hook, host: SocketHost): Hook {
  return (peer: OpenPeer, ...args: unknown[]) => {
    // Workers wake up with connections that have lost their context.
    if (!connectionIn(peer.context) && peer.request)
      setConnection(peer.context, openSocket(peer.request, host))
    return orElse(() => (hook as (...args: unknown[]) => unknown)(peer, ...args), error => closeRefused(peer, error))
  }
}

/** Nobody awaits what hooks return: to Node a refusal would be an error that nobody handles. */
function closeRefused(peer: OpenPeer, error: unknown): void {
  if (!isRefusal(error))
    throw error
  // As a status of HTTP, in the range that is for apps.
  peer.close(4000 + error.statusCode, error.statusMessage)
}

function openSocket(request: UpgradeRequest, host: SocketHost, cookies: CookieLines = new Map()): SocketSessions {
  return new SocketSessions({
    ...host.sessionsOf(request),
    cookieHeader: withCookies(cookieHeaderOf(request), cookies),
    onFailure: error => void host.report(request, error),
  })
}

async function answerUpgrade(request: UpgradeRequest, hook: Hook | undefined, host: SocketHost): Promise<Answer> {
  const { sessions, close } = openUpgrade(request, host)
  // Not in its context: h3 v2 shares that with its event, and some hosts with all requests.
  setOwnSessions(request, sessions)
  const answer = await runHook(request, sessions, hook, host).finally(close)
  const socket = openSocket(request, host, sessions.cookies)
  if (isContextOfConnection(request))
    setConnection(request.context, socket)
  if (answer instanceof Response)
    return completeResponse(request, sessions, answer)
  const headers = new Headers(answer?.headers)
  sessions.finish(headers)
  // crossws 0.4 copies this into the context of the connection.
  return { ...answer, headers, context: setConnection({ ...answer?.context }, socket) }
}

/** crossws 0.3 gives a request the context of its connection, for good. */
function isContextOfConnection(request: UpgradeRequest): request is UpgradeRequest & { context: object } {
  return Object.getOwnPropertyDescriptor(request, 'context')?.writable === false
}

/** The sessions of the request, which can change until it is answered. */
function openUpgrade(request: UpgradeRequest, { sessionsOf, cookiesOf, report }: SocketHost): { sessions: EventSessions, close(): void } {
  const cookies: CookieLines = cookiesOf?.(request) ?? new Map()
  const cookieHeader = withCookies(cookieHeaderOf(request), cookies)
  let isAnswered = false
  const sessions = new EventSessions({
    ...sessionsOf(request),
    owner: request,
    cookieHeader: () => cookieHeader,
    createExchange: sessions => new ResponseCookies({
      cookieHeader,
      get address() { return { host: request.headers.get('host') ?? undefined, path: pathOf(request.url) } },
      headers: [],
      node: undefined,
      isFinished: true,
      get isSent() { return isAnswered },
      get haveHeadersLeft() { return isAnswered },
    }, sessions, { onFailure: error => report(request, error), onUnsaved: error => void report(request, error) }, cookies),
  })
  return { sessions, close: () => void (isAnswered = true) }
}

/** Runs `upgrade` and waits for storage. To throw a response is to answer; errors of ours become one. */
async function runHook(request: UpgradeRequest, sessions: EventSessions, hook: Hook | undefined, { report }: SocketHost): Promise<Answer> {
  try {
    const answer = await run(request, hook)
    await sessions.flush()
    return answer
  }
  catch (error) {
    if (!isSessionError(error)) {
      await sessions.flush()?.catch(failure => report(request, failure))
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
function completeResponse(request: UpgradeRequest, sessions: EventSessions, response: Response): Response {
  const hasCookies = [...sessions.cookies.values()].some(lines => lines.length > 0)
  // On Node crossws 0.3 escapes the headers of a refusal: the browser would keep a cookie without a name.
  if (!hasCookies || ('_req' in request && !response.ok))
    return response
  // The headers of a response that was fetched cannot be changed.
  const answer = new Response(response.body, response)
  sessions.finish(answer.headers)
  return answer
}

/** crossws gives the whole URL. */
function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname : url
}

function cookieHeaderOf({ headers }: UpgradeRequest): string | undefined {
  return headers.get('cookie') ?? undefined
}
