import type { SessionsOf } from '../sessions'
import type { H3Event } from 'h3'
import type { NitroApp } from 'nitropack/types'
import { hasPages, hasSockets } from '#unsession/host'
import { defineNitroPlugin } from 'nitropack/runtime'
import { describeV1 } from '../../../adapters/h3-v1'
import { getBag, SessionBag, setBag } from '../../../http/bag'
import { createExchange } from '../../../http/exchange'
import { reportFailure } from '../error-response'
import { isCachedByHost } from '../host-cache'
import { startSessions } from '../sessions'
import { borrowBag, shareWithErrorPage } from './error-page'
import { toErrorResponse } from './error-response'
import { isPersonalPage, isShownPage } from './page-request'
import { provideSockets } from './sockets'

/** Registers the session config from runtime config, and gives every event its sessions. */
export default defineNitroPlugin((nitroApp) => {
  const sessionsOf = startSessions(nitroApp)
  nitroApp.hooks.hook('request', event => provideSessions(nitroApp, event, sessionsOf))
  awaitSessions(nitroApp)
  if (hasSockets)
    provideSockets(nitroApp, sessionsOf)
})

function provideSessions(nitroApp: NitroApp, event: H3Event, sessionsOf: SessionsOf): void {
  // Internal requests carry the context of the event that makes them.
  const parent = (event.node.req as { __unenv__?: object }).__unenv__
  const shared = getBag(parent)?.forSubRequest(event, parent!) ?? borrowBag(event)
  const bag: SessionBag = shared ?? new SessionBag({
    owner: event,
    ...sessionsOf(event),
    isCached: () => isCachedByHost(event),
    page: hasPages ? { isPersonal: () => isPersonalPage(event), isShown: () => isShownPage(event) } : undefined,
    exchange: createExchange(describeV1(event), {
      isShared: import.meta.prerender === true,
      settle: () => bag.settle(),
      onFailure: error => toErrorResponse(reportFailure(nitroApp, event, error)),
    }),
  })
  setBag(event, bag)
}

/** Makes every response wait for the writes, and a failed write the response. */
function awaitSessions({ h3App: { options }, captureError }: NitroApp): void {
  const { onBeforeResponse, onError, onAfterResponse } = options
  const settle = async (event: H3Event): Promise<void> => {
    const bag = getBag(event.context)
    if (bag?.isOwnedBy(event))
      await bag.settle()
  }
  options.onBeforeResponse = async (event, response) => {
    await onBeforeResponse?.(event, response)
    await settle(event)
  }
  options.onError = async (error, event) => {
    const failure = await settle(event).then(() => undefined, reason => reason)
    await shareWithErrorPage(event, async () => onError?.(failure ?? error, event))
    // An error page may have read messages. It is shown, whatever becomes of them.
    await settle(event).catch(reason => captureError(reason, { event, tags: ['session'] }))
  }
  // What ended inside its handler on a host without a Node response is sent only after this.
  options.onAfterResponse = async (event, response) => {
    await settle(event)
    getBag(event.context)?.finish(event)
    await onAfterResponse?.(event, response)
  }
}
