import type { Managers } from '../../http/managers'
import type { H3Event } from 'h3'
import { createManagers } from '../../http/managers'
import { readConfig, resolveRuntimeOptions } from './options'
import { createNitroStore } from './storage'

/**
 * The managers of the server, from runtime config.
 *
 * @param event where the environment arrives with each request
 * @throws SessionError `CONFIG_ERROR`
 */
export function createNitroManagers(event?: H3Event): Managers {
  const config = readConfig(event)
  return createManagers(config, {
    resolve: resolveRuntimeOptions,
    createStore: ({ timeout }) => createNitroStore(config.storage ?? 'session', timeout),
  })
}
