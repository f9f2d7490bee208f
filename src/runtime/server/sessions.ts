import type { BagOptions } from '../../http/bag'
import type { Managers } from '../../http/managers'
import type { SessionObserver } from '../../core/types'
import type { ServerApp, ServerEvent } from './app'
import { hasCleanupTimer, isConfiguredPerRequest } from '#unsession/host'
import { isSessionError } from '../../core/errors'
import { startCleanupTimer } from '../../http/cleanup-timer'
import { provideCleanup } from './cleanup'
import { createNitroManagers } from './managers'
import { releaseStorage } from './storage'

/** The sessions of one server. */
export type SessionsOf = (event: ServerEvent) => Pick<BagOptions, 'manager' | 'observer'>

/**
 * Starts what all requests share: the config, which is checked, the storage and the clean-up.
 *
 * @throws SessionError `CONFIG_ERROR`
 */
export function startSessions(nitroApp: ServerApp): SessionsOf {
  let managers: Managers | undefined
  if (!isConfiguredPerRequest)
    managers = stopOnBadConfig(createNitroManagers)
  // Not kept: without a request a worker does not know its environment.
  const cleanup = provideCleanup(nitroApp, async signal => (managers ?? createNitroManagers()).get().sweep(signal))
  nitroApp.hooks.hook('close', releaseStorage)
  if (hasCleanupTimer && !import.meta.prerender)
    nitroApp.hooks.hook('close', startCleanupTimer(cleanup, error => nitroApp.captureError(error as Error, { tags: ['session'] })))
  return event => ({
    manager: overrides => (managers ??= createNitroManagers(event)).get(overrides),
    observer: createObserver(nitroApp, event),
  })
}

/** A bad configuration stops the start. Its message says everything; a stack would only hide it. */
function stopOnBadConfig(create: () => Managers): Managers {
  try {
    return create()
  }
  catch (error) {
    if (isSessionError(error))
      error.stack = `${error.name}: ${error.message}`
    throw error
  }
}

/** Tells the hooks of the app; one that fails is logged as Nitro logs it and fails nothing. */
function createObserver({ hooks, captureError }: ServerApp, event: ServerEvent): SessionObserver {
  const call = async (name: string, context: object): Promise<void> => {
    try {
      await hooks.callHook(name, { event, ...context })
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
