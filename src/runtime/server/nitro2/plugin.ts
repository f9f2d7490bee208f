import type { ServerSessions } from '../sessions'
import type { H3Event } from 'h3'
import type { NitroApp } from 'nitropack/types'
import { hasPages, hasSockets } from '#unsession/host'
import { defineNitroPlugin } from 'nitropack/runtime'
import { EventSessions } from '../../../http/event-sessions'
import { sessionsIn, sessionsOwnedBy, setSessions } from '../../../http/find-sessions'
import { startSessions } from '../sessions'
import { borrowSessions, shareWithErrorPage } from './error-page'
import { Nitro2Host } from './event-host'
import { PageHost } from './page-host'
import { streamToStrangers } from './page-stream'
import { provideSockets } from './sockets'

/** Registers the session config from runtime config, and gives every event its sessions. */
export default defineNitroPlugin((nitroApp) => {
  const server = startSessions(nitroApp)
  provideSessions(nitroApp, server)
  awaitSessions(nitroApp)
  if (hasPages)
    streamToStrangers(nitroApp)
  if (hasSockets)
    provideSockets(nitroApp, server)
})

const EventHost = hasPages ? PageHost : Nitro2Host

/** Every event has its sessions before the hook `request` is called. */
function provideSessions({ h3App: { options } }: NitroApp, server: ServerSessions): void {
  const { onRequest } = options
  options.onRequest = (event) => {
    // Internal requests carry the context of the event that makes them.
    const parent = (event.node.req as { __unenv__?: object }).__unenv__
    setSessions(event, sessionsIn(parent)?.forSubRequest(event, parent!) ?? borrowSessions(event) ?? new EventSessions(new EventHost(server, event)))
    return onRequest?.(event)
  }
}

/** Makes every response wait for the writes, and a failed write the response. */
function awaitSessions({ h3App: { options }, captureError }: NitroApp): void {
  const { onBeforeResponse, onError, onAfterResponse } = options
  const flush = (event: H3Event): Promise<void> | undefined => sessionsOwnedBy(event)?.flush()
  options.onBeforeResponse = (event, response) => {
    const before = onBeforeResponse?.(event, response)
    return before ? before.then(() => flush(event)) : flush(event)
  }
  options.onError = async (error, event) => {
    const failure = await flush(event)?.then(() => undefined, reason => reason)
    await shareWithErrorPage(event, async () => onError?.(failure ?? error, event))
    // An error page may have read messages. It is shown, whatever becomes of them.
    await flush(event)?.catch(reason => captureError(reason, { event, tags: ['session'] }))
  }
  // What ended inside its handler on a host without a Node response is sent only after this.
  options.onAfterResponse = (event, response) => {
    const finish = (): Promise<void> | void => {
      sessionsOwnedBy(event)?.finish()
      return onAfterResponse?.(event, response)
    }
    const flushed = flush(event)
    return flushed ? flushed.then(finish) : finish()
  }
}
