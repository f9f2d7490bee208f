import type { GuardOptions } from './build/guard'
import type { NitroConfig } from 'nitropack/types'
import type { Nuxt, NuxtModule } from 'nuxt/schema'
import type { SessionOptions } from './runtime/server/types'
import { fileURLToPath } from 'node:url'
import { defineNuxtModule } from 'nuxt/kit'
import { configFilesIn } from './build/config-files'
import { addDevtoolsTab } from './build/devtools'
import { checkGuard } from './build/guard'
import { addVueApp, exposedKeys } from './vue-app'
import nitroModule from './nitro'

export type * from './nitro'
export type { GuardOptions } from './build/guard'

/** The options under `session` in nuxt.config. */
export interface ModuleOptions extends SessionOptions {
  /** What the route middleware `session` and `<SessionState>` ask for where a page says nothing else. */
  guard?: GuardOptions
}

/** Where the code is that becomes part of the Vue app. */
const appDir = fileURLToPath(new URL('./runtime/app', import.meta.url))

/** The Nuxt module: hands the server side to the Nitro module. */
const unsession: NuxtModule<ModuleOptions> = defineNuxtModule<ModuleOptions>({
  meta: {
    name: 'unsession',
    configKey: 'session',
    compatibility: { nuxt: '>=3.21.0' },
  },
  setup(options, nuxt) {
    nuxt.hook('nitro:config', (config: NitroConfig) => {
      config.session = serverOptionsOf(nuxt, options)
      config.modules = [...config.modules ?? [], {
        ...nitroModule,
        setup: nitro => nitroModule.setup(
          nitro,
          configFilesIn(nuxt.options._layers, nuxt.options._nuxtConfigFile, nuxt.options.rootDir),
          checkGuard(options.guard, exposedKeys(nuxt, options)),
        ),
      }]
    })
    addVueApp(nuxt, options, appDir)
    if (nuxt.options.dev)
      addDevtoolsTab(nuxt.hook, nuxt.options.app.baseURL)
  },
})

/** Nuxt passes over what is no object; the checks shall see it. */
function serverOptionsOf({ options }: Nuxt, merged: ModuleOptions): SessionOptions {
  const { session = merged } = options as { session?: SessionOptions }
  if (typeof session !== 'object' || Array.isArray(session))
    return session
  return Object.fromEntries(Object.entries(merged).filter(([option]) => option !== 'guard'))
}

export default unsession
