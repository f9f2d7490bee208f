import type { ServerApp } from '../app'
import type { SessionsOf } from '../sessions'
import type { H3Event } from 'nitro/h3'
import type { NitroApp } from 'nitro/types'
import { hasSockets } from '#unsession/host'
import { useNitroHooks } from 'nitro/app'
import { isNarrowed } from '../../../http/cached-request'
import { describeV2, finishResponses } from '../../../adapters/h3-v2'
import { getBag, SessionBag, setBag } from '../../../http/bag'
import { settleAfter } from '../../../http/settle-after'
import { createExchange } from '../../../http/exchange'
import { reportFailure, reportUnsaved } from '../error-response'
import { isCachedByHost } from '../host-cache'
import { startSessions } from '../sessions'
import { createSocketHost } from '../sockets'
import { toErrorResponse, toHTTPError } from './http-error'
import { provideSockets, refuseSockets } from './sockets'

type H3 = NonNullable<NitroApp['h3']>

/** Registers the session config from runtime config, and gives every event its sessions. */
export default function unsession(nitroApp: NitroApp): void {
  // Where the app switched hooks off, these are ours alone.
  nitroApp.hooks = useNitroHooks()
  const app = nitroApp as ServerApp
  const h3 = nitroApp.h3!
  const sessionsOf = startSessions(app)
  provideSessions(h3, app, sessionsOf)
  awaitSessions(h3, app, sessionsOf)
}

/** Every event has its sessions before the hook `request` is called. */
function provideSessions({ config }: H3, app: ServerApp, sessionsOf: SessionsOf): void {
  const { onRequest } = config
  config.onRequest = (event) => {
    // An internal request that was given the context of the event that makes it has its bag.
    setBag(event, getBag(event.context)?.forSubRequest(event, event.context) ?? createBag(event, app, sessionsOf))
    return onRequest?.(event)
  }
}

function createBag(event: H3Event, app: ServerApp, sessionsOf: SessionsOf): SessionBag {
  const { req } = event
  // Now, not when a session is asked for: h3 gives an event that was answered another response.
  const response = describeV2(event)
  return new SessionBag({
    owner: event,
    ...sessionsOf(event),
    isCached: () => isNarrowed(event.req, req) || isCachedByHost(event),
    cookieHeader: () => response.cookieHeader,
    createExchange: bag => createExchange(response, {
      isShared: import.meta.prerender === true,
      settle: () => bag.settle(),
      protect: headers => bag.protect(headers),
      save: () => bag.save(),
      onFailure: error => toErrorResponse(reportFailure(app, event, error)),
      onUnsaved: error => reportUnsaved(app, event, error),
      waitUntil: saved => event.waitUntil?.(saved),
    }),
  })
}

/** Makes every response wait for the writes, and a failed write the response. */
function awaitSessions(h3: H3, app: ServerApp, sessionsOf: SessionsOf): void {
  h3['~middleware'].unshift(async (event, next) => {
    const bag = ownBagOf(event)
    try {
      const answer = await (bag ? settleAfter(bag, next) : next())
      if (hasSockets) {
        provideSockets(event, answer, () => ({
          ...createSocketHost({ app, sessionsOf, eventOf: () => event, toErrorResponse }),
          // Nitro drops the answer to a request for a WebSocket.
          cookiesOf: request => request === event.req && bag ? bag.cookies : new Map(),
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
    await ownBagOf(event)?.settle()?.catch(reason => app.captureError(reason, { event, tags: ['session'] }))
    return answer
  }
  finishResponses(h3)
}

/** The bag of an event that is no internal request of another. */
function ownBagOf(event: H3Event): SessionBag | undefined {
  const bag = getBag(event.context)
  return bag?.isOwnedBy(event) ? bag : undefined
}
