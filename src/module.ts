import type { NitroConfig } from 'nitropack/types'
import type { Nuxt, NuxtModule } from 'nuxt/schema'
import type { SessionOptions } from './runtime/server/types'
import { fileURLToPath } from 'node:url'
import { addImports, addPlugin, addTypeTemplate, defineNuxtModule } from 'nuxt/kit'
import { UTILS } from './build/auto-imports'
import { configFilesIn } from './build/config-files'
import { addDevtoolsTab } from './build/devtools'
import nitroModule from './nitro'

export type * from './nitro'

/** The options under `session` in nuxt.config. */
export interface ModuleOptions extends SessionOptions {}

const COMPOSABLES = { useClientSession: 'use-client-session', useFlash: 'use-flash' }

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
      config.session = optionsOf(nuxt, options)
      config.modules = [...config.modules ?? [], {
        ...nitroModule,
        setup: nitro => nitroModule.setup(nitro, configFilesIn(nuxt.options._layers, nuxt.options._nuxtConfigFile, nuxt.options.rootDir)),
      }]
    })
    nuxt.options.build.transpile.push(appDir)
    addPlugin({ src: `${appDir}/plugin`, mode: 'client' })
    // Below the default of 1: the app's own composable of the same name wins.
    addImports(Object.entries(COMPOSABLES).map(([name, file]) => ({ name, from: `${appDir}/${file}`, priority: -1 })))
    // Without a declaration: types of server routes are a part of the app's program, and there it is the server's.
    addImports(UTILS.map(name => ({ name, from: `${appDir}/server-utils`, priority: -1, dtsDisabled: true })))
    addTypeTemplate({ filename: 'types/unsession.d.ts', getContents: () => declareExposed(options, nuxt) }, { nuxt: true, nitro: true })
    if (nuxt.options.dev)
      addDevtoolsTab(nuxt.hook, nuxt.options.app.baseURL)
  },
})

/** Nuxt passes over what is no object; the checks shall see it. */
function optionsOf({ options }: Nuxt, merged: ModuleOptions): ModuleOptions {
  const { session = merged } = options as { session?: ModuleOptions }
  return typeof session === 'object' && !Array.isArray(session) ? merged : session
}

/** Lets `useClientSession` know the keys that it has. */
function declareExposed({ expose }: ModuleOptions, { options: { runtimeConfig } }: Nuxt): string {
  const keys = expose ?? (runtimeConfig as { session?: ModuleOptions }).session?.expose ?? []
  return [
    'declare module \'unsession\' {',
    '  interface ExposedKeys {',
    // What is no array is refused when the server starts; layers may repeat a key.
    ...(Array.isArray(keys) ? [...new Set(keys)] : []).map(key => `    ${JSON.stringify(key)}: true`),
    '  }',
    '}',
    'export {}',
  ].join('\n')
}

export default unsession
