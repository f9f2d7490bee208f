import type { NitroConfig } from 'nitropack/types'
import type { NuxtModule } from 'nuxt/schema'
import type { SessionOptions } from './runtime/server/types'
import { defineNuxtModule } from '@nuxt/kit'
import nitroModule from './nitro'

export type * from './nitro'

/** The options under `session` in nuxt.config. */
export interface ModuleOptions extends SessionOptions {}

/** The Nuxt module: hands the server side to the Nitro module. */
const unsession: NuxtModule<ModuleOptions> = defineNuxtModule<ModuleOptions>({
  meta: {
    name: 'unsession',
    configKey: 'session',
    compatibility: { nuxt: '>=3.21.0' },
  },
  setup(options, nuxt) {
    nuxt.hook('nitro:config', (config: NitroConfig) => {
      config.session = options
      config.modules = [...config.modules ?? [], nitroModule]
    })
  },
})

export default unsession
