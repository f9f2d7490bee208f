import type { SocketHooks, UpgradeRequest } from '../../../http/sockets/upgrade'
import type { ServerEvent } from '../app'
import type { ServerSessions } from '../sessions'
import type { NitroApp } from 'nitropack/types'
import { provideSocketSessions } from '../../../http/sockets/upgrade'
import { createSocketHost } from '../sockets'
import { toErrorResponse } from './error-response'

/** Gives the hooks of WebSockets their sessions. */
export function provideSockets(nitroApp: NitroApp, server: ServerSessions): void {
  const { h3App } = nitroApp
  const { resolve, ...options } = h3App.websocket
  const host = createSocketHost({ server, eventOf, toErrorResponse })
  // crossws asks for the hooks again at every message.
  const known = new WeakMap<object, SocketHooks>()
  const provide = (hooks: object): object => {
    // Of a route without any.
    if (Object.keys(hooks).length === 0)
      return hooks
    const provided = known.get(hooks) ?? provideSocketSessions(hooks as SocketHooks, host)
    known.set(hooks, provided)
    return provided
  }
  Object.defineProperty(h3App, 'websocket', {
    configurable: true,
    value: { ...options, resolve: async (info: never) => provide(await resolve!(info) as object) },
  })
}

/** No event of h3 belongs to a WebSocket; this is what hooks are told of, and Nitro's runtime config. */
function eventOf({ url, headers, context = {} }: UpgradeRequest): ServerEvent {
  const { pathname, search } = new URL(url)
  // As Nitro begins the context of every event.
  const { nitro = { errors: [] } } = context as { nitro?: object }
  return { context: Object.assign(context, { nitro }), method: 'GET', path: pathname + search, headers: headers as Headers }
}
