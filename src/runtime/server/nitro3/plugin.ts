import type { ServerApp } from '../app'
import type { ServerSessions } from '../sessions'
import type { NitroApp } from 'nitro/types'
import { hasSockets } from '#unsession/host'
import { useNitroHooks } from 'nitro/app'
import { finishResponses } from '../../../adapters/h3-v2'
import { EventSessions } from '../../../http/event-sessions'
import { sessionsIn, sessionsOwnedBy, setSessions } from '../../../http/find-sessions'
import { flushAfter } from '../../../http/flush-after'
import { startSessions } from '../sessions'
import { createSocketHost } from '../sockets'
import { Nitro3Host } from './event-host'
import { toErrorResponse, toHTTPError } from './http-error'
import { provideSockets, refuseSockets } from './sockets'

type H3 = NonNullable<NitroApp['h3']>

/** Registers the session config from runtime config, and gives every event its sessions. */
export default function unsession(nitroApp: NitroApp): void {
  // Where the app switched hooks off, these are ours alone.
  nitroApp.hooks = useNitroHooks()
  const app = nitroApp as ServerApp
  const h3 = nitroApp.h3!
  const server = startSessions(app)
  provideSessions(h3, server)
  awaitSessions(h3, server)
}

/** Every event has its sessions before the hook `request` is called. */
function provideSessions({ config }: H3, server: ServerSessions): void {
  const { onRequest } = config
  config.onRequest = (event) => {
    // An internal request that was given the context of the event that makes it has its sessions.
    setSessions(event, sessionsIn(event.context)?.forSubRequest(event, event.context) ?? new EventSessions(new Nitro3Host(server, event)))
    return onRequest?.(event)
  }
}

/** Makes every response wait for the writes, and a failed write the response. */
function awaitSessions(h3: H3, server: ServerSessions): void {
  h3['~middleware'].unshift(async (event, next) => {
    const sessions = sessionsOwnedBy(event)
    try {
      const answer = await (sessions ? flushAfter(sessions, next) : next())
      if (hasSockets) {
        provideSockets(event, answer, () => ({
          ...createSocketHost({ server, eventOf: () => event, toErrorResponse }),
          // Nitro drops the answer to a request for a WebSocket.
          cookiesOf: request => request === event.req && sessions ? sessions.cookies : new Map(),
        }))
      }
      return answer
    }
    catch (error) {
      if (hasSockets)
        refuseSockets(event, error)
      throw toHTTPError(event, error)
    }
  })
  const { onError } = h3.config
  h3.config.onError = async (error, event) => {
    const answer = await onError?.(error, event)
    // An error handler may have changed the session. It answers, whatever becomes of that.
    await sessionsOwnedBy(event)?.flush()?.catch(reason => server.app.captureError(reason, { event, tags: ['session'] }))
    return answer
  }
  finishResponses(h3)
}
