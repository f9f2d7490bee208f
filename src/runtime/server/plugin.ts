import type { SessionError } from '../../core/errors'
import type { SessionObserver } from '../../core/types'
import type { BagOptions } from '../../http/bag'
import type { Managers } from '../../http/managers'
import type { H3Event } from 'h3'
import type { NitroApp } from 'nitropack/types'
import { hasCleanupTimer, hasPages, isConfiguredPerRequest } from '#unsession/host'
import { defineNitroPlugin } from 'nitropack/runtime'
import { createEventExchange } from '../../adapters/event'
import { isSessionError } from '../../core/errors'
import { getBag, SessionBag, setBag } from '../../http/bag'
import { startCleanupTimer } from '../../http/cleanup-timer'
import { toErrorResponse } from '../../http/error-response'
import { provideCleanup } from './cleanup'
import { borrowBag, shareWithErrorPage } from './error-page'
import { createNitroManagers } from './managers'
import { isCachedByHost, isPersonalPage, isShownPage } from './page-request'

/** Registers the session config from runtime config, and gives every event its sessions. */
export default defineNitroPlugin((nitroApp) => {
  let managers: Managers | undefined
  const getManagers = (event?: H3Event): Managers => managers ??= createNitroManagers(event)
  if (!isConfiguredPerRequest)
    stopOnBadConfig(getManagers)
  nitroApp.hooks.hook('request', event => provideSessions(nitroApp, event, overrides => getManagers(event).get(overrides)))
  awaitSessions(nitroApp)
  // Not kept: without a request a worker does not know its environment.
  const cleanup = provideCleanup(nitroApp, async signal => (managers ?? createNitroManagers()).get().sweep(signal))
  if (hasCleanupTimer && !import.meta.prerender)
    nitroApp.hooks.hook('close', startCleanupTimer(cleanup, error => nitroApp.captureError(error as Error, { tags: ['session'] })))
})

/** A bad configuration stops the start. Its message says everything; a stack would only hide it. */
function stopOnBadConfig(getManagers: () => Managers): void {
  try {
    getManagers()
  }
  catch (error) {
    if (isSessionError(error))
      error.stack = `${error.name}: ${error.message}`
    throw error
  }
}

function provideSessions(nitroApp: NitroApp, event: H3Event, manager: BagOptions['manager']): void {
  // Internal requests carry the context of the event that makes them.
  const parent = (event.node.req as { __unenv__?: object }).__unenv__
  const shared = getBag(parent)?.forSubRequest(event, parent!) ?? borrowBag(event)
  const bag: SessionBag = shared ?? new SessionBag({
    owner: event,
    manager,
    observer: createObserver(nitroApp, event),
    isCached: () => isCachedByHost(event),
    page: hasPages ? { isPersonal: () => isPersonalPage(event), isShown: () => isShownPage(event) } : undefined,
    exchange: createEventExchange(event, {
      isShared: import.meta.prerender === true,
      settle: () => bag.settle(),
      onFailure: error => toErrorResponse(error, error => report(nitroApp, event, error)),
    }),
  })
  setBag(event, bag)
}

/** Captures and logs an error as Nitro does, where Nitro cannot. */
function report({ captureError }: NitroApp, event: H3Event, error: SessionError): void {
  captureError(error, { event, tags: ['request', 'session'] })
  if (error.unhandled)
    console.error(`[request error] [unhandled] [${event.method}] ${event.path}\n`, error)
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

function createObserver({ hooks, captureError }: NitroApp, event: H3Event): SessionObserver {
  const call = async (name: string, context: object): Promise<void> => {
    try {
      await (hooks.callHook as (name: string, context: object) => unknown)(name, { event, ...context })
    }
    catch (error) {
      captureError(error as Error, { event, tags: ['session'] })
    }
  }
  return {
    session: (name, session) => call(`session:${name}`, { session }),
    rejected: reason => call('session:rejected', { reason }),
  }
}
