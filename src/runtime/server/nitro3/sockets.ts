import type { SocketHooks, SocketHost } from '../../../http/sockets/upgrade'
import type { H3Event } from 'nitro/h3'
import { provideSocketSessions } from '../../../http/sockets/upgrade'
import { describeError, toSessionError } from '../../../http/error-response'

/** Where h3 leaves the hooks of a WebSocket, besides in its answer: a contract of crossws. */
const HOOKS = Symbol.for('crossws.hooks')

/** What carries hooks: the answer in `crossws`, the request and its context under the symbol. */
interface Carrier {
  crossws?: SocketHooks
  [HOOKS]?: SocketHooks
  context?: Carrier
}

/** Gives the hooks that a request for a WebSocket was answered with their sessions. */
export function provideSockets(event: H3Event, answer: unknown, createHost: () => SocketHost): void {
  replaceHooks(event, answer, hooks => provideSocketSessions(hooks, createHost()))
}

/** Refuses the WebSocket of a request that failed: Nitro looks for hooks only, not for errors. */
export function refuseSockets(event: H3Event, error: unknown): void {
  const { statusCode, statusMessage } = describeError(toSessionError(error))
  replaceHooks(event, undefined, () => ({ upgrade: () => new Response(null, { status: statusCode, statusText: statusMessage }) }))
}

function replaceHooks(event: H3Event, answer: unknown, replace: (hooks: SocketHooks) => SocketHooks): void {
  const request = event.req as Carrier
  const response = answer instanceof Response ? answer as Carrier : undefined
  const hooks = response?.crossws ?? request[HOOKS] ?? request.context?.[HOOKS]
  if (!hooks)
    return
  const replaced = replace(hooks)
  if (response?.crossws)
    response.crossws = replaced
  if (request[HOOKS])
    request[HOOKS] = replaced
  if (request.context?.[HOOKS])
    request.context[HOOKS] = replaced
}
