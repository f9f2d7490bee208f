import type { Managers } from '../../http/managers'
import type { ServerEvent } from './app'
import { readConfig } from '#unsession/server'
import { testing } from '#unsession/testing'
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
  const managers = createManagers(config, {
    resolve: (options, overrides) => resolveRuntimeOptions(options, overrides && checkOverrides(config, overrides)),
    createStore: ({ timeout }) => createNitroStore(config.storage ?? 'session', timeout),
    createMigration(options, store) {
      const own = createConfiguredMigration(config.migrate, options, store)
      return testing ? testing.createTestMigrator(own) : own
    },
  })
  return testing ? testing.withMemory(managers) : managers
}
