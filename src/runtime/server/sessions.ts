import type { Managers } from '../../http/managers'
import type { ServerApp, ServerEvent } from './app'
import { hasCleanup, isConfiguredPerRequest } from '#unsession/host'
import { testing } from '#unsession/testing'
import { rememberCallers } from '../../core/calls/caller'
import { isSessionError } from '../../core/errors'
import { explainWrites } from '../../core/session/explain-writes'
import { provideCleanup } from './cleanup'
import { createNitroManagers } from './managers'
import { releaseStorage } from './storage'

/** What the events of one server share. */
export interface ServerSessions {
  readonly app: ServerApp
  /** The same for all events; on workers made with the first, which brings the environment. */
  managersOf(event: ServerEvent): Managers
}

/**
 * Starts what all requests share: the config, which is checked, the storage and the clean-up.
 *
 * @throws SessionError `CONFIG_ERROR`
 */
export function startSessions(nitroApp: ServerApp): ServerSessions {
  if (import.meta.dev) {
    rememberCallers()
    explainWrites()
  }
  testing?.tellKind()
  let managers: Managers | undefined
  if (!isConfiguredPerRequest)
    managers = stopOnBadConfig(createNitroManagers)
  // Not kept: without a request a worker does not know its environment.
  if (hasCleanup)
    provideCleanup(nitroApp, () => (managers ?? createNitroManagers()).get().store)
  nitroApp.hooks.hook('close', releaseStorage)
  return { app: nitroApp, managersOf: event => managers ??= createNitroManagers(event) }
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
