import type { SessionsOf } from '../sessions'
import type { H3Event } from 'h3'
import type { NitroApp } from 'nitropack/types'
import { hasPages, hasSockets } from '#unsession/host'
import { defineNitroPlugin } from 'nitropack/runtime'
import { V1Response } from '../../../adapters/h3-v1'
import { getBag, SessionBag, setBag } from '../../../http/bag'
import { createExchange } from '../../../http/exchange'
import { reportFailure, reportUnsaved } from '../error-response'
import { isCachedByHost } from '../host-cache'
import { startSessions } from '../sessions'
import { borrowBag, shareWithErrorPage } from './error-page'
import { toErrorResponse } from './error-response'
import { isPersonalPage, isShownPage } from './page-request'
import { provideSockets } from './sockets'

/** Registers the session config from runtime config, and gives every event its sessions. */
export default defineNitroPlugin((nitroApp) => {
  const sessionsOf = startSessions(nitroApp)
  provideSessions(nitroApp, sessionsOf)
  awaitSessions(nitroApp)
  if (hasSockets)
    provideSockets(nitroApp, sessionsOf)
})

/** Every event has its sessions before the hook `request` is called. */
function provideSessions(nitroApp: NitroApp, sessionsOf: SessionsOf): void {
  const { options } = nitroApp.h3App
  const { onRequest } = options
  options.onRequest = (event) => {
    // Internal requests carry the context of the event that makes them.
    const parent = (event.node.req as { __unenv__?: object }).__unenv__
    setBag(event, getBag(parent)?.forSubRequest(event, parent!) ?? borrowBag(event) ?? createBag(nitroApp, event, sessionsOf))
    return onRequest?.(event)
  }
}

function createBag(nitroApp: NitroApp, event: H3Event, sessionsOf: SessionsOf): SessionBag {
  return new SessionBag({
    owner: event,
    ...sessionsOf(event),
    isCached: () => isCachedByHost(event),
    page: hasPages ? { isPersonal: () => isPersonalPage(event), isShown: () => isShownPage(event) } : undefined,
    cookieHeader: () => event.node.req.headers.cookie,
    createExchange: bag => createExchange(new V1Response(event), {
      isShared: import.meta.prerender === true,
      settle: () => bag.settle(),
      protect: headers => bag.protect(headers),
      save: () => bag.save(),
      onFailure: error => toErrorResponse(reportFailure(nitroApp, event, error)),
      onUnsaved: error => reportUnsaved(nitroApp, event, error),
      waitUntil: saved => event.waitUntil?.(saved),
    }),
  })
}

/** Makes every response wait for the writes, and a failed write the response. */
function awaitSessions({ h3App: { options }, captureError }: NitroApp): void {
  const { onBeforeResponse, onError, onAfterResponse } = options
  const settle = (event: H3Event): Promise<void> | undefined => {
    const bag = getBag(event.context)
    return bag?.isOwnedBy(event) ? bag.settle() : undefined
  }
  options.onBeforeResponse = (event, response) => {
    const before = onBeforeResponse?.(event, response)
    return before ? before.then(() => settle(event)) : settle(event)
  }
  options.onError = async (error, event) => {
    const failure = await settle(event)?.then(() => undefined, reason => reason)
    await shareWithErrorPage(event, async () => onError?.(failure ?? error, event))
    // An error page may have read messages. It is shown, whatever becomes of them.
    await settle(event)?.catch(reason => captureError(reason, { event, tags: ['session'] }))
  }
  // What ended inside its handler on a host without a Node response is sent only after this.
  options.onAfterResponse = (event, response) => {
    const finish = (): Promise<void> | void => {
      getBag(event.context)?.finish(event)
      return onAfterResponse?.(event, response)
    }
    const settled = settle(event)
    return settled ? settled.then(finish) : finish()
  }
}
