import type { Managers } from '../../http/managers'
import type { ServerEvent } from './app'
import { readConfig } from '#unsession/server'
import { createManagers } from '../../http/managers'
import { createConfiguredMigration } from './migrate'
import { checkOverrides, resolveRuntimeOptions } from './options'
import { createNitroStore } from './storage'

/**
 * The managers of the server, from runtime config.
 *
 * @param event where the environment arrives with each request
 * @throws SessionError `CONFIG_ERROR`
 */
export function createNitroManagers(event?: ServerEvent): Managers {
  const config = readConfig(event)
  return createManagers(config, {
    resolve: (options, overrides) => resolveRuntimeOptions(options, overrides && checkOverrides(config, overrides)),
    createStore: ({ timeout }) => createNitroStore(config.storage ?? 'session', timeout),
    createMigration: (options, store) => createConfiguredMigration(config.migrate, options, store),
  })
}
