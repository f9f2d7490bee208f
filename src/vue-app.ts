import type { GuardOptions } from './build/guard'
import type { Nuxt } from 'nuxt/schema'
import type { SessionOptions } from './runtime/server/types'
import { addImports, addPlugin, addTemplate, addTypeTemplate } from 'nuxt/kit'
import { UTILS } from './build/auto-imports'
import { resolveGuard } from './build/guard'
import { isTestBuild } from './runtime/server/testing/test-run'

const COMPOSABLES = { useClientSession: 'use-client-session', useFlash: 'use-flash' }

/** The route middleware of ours. */
const MIDDLEWARE = 'session'

type Options = SessionOptions & { guard?: GuardOptions }

/**
 * Adds what the Vue app has of sessions.
 *
 * @param dir where its code is
 */
export function addVueApp(nuxt: Nuxt, options: Options, dir: string): void {
  nuxt.options.build.transpile.push(dir)
  addPlugin({ src: `${dir}/plugin` })
  if (isForTests(nuxt))
    addPlugin({ src: `${dir}/testing`, mode: 'client' })
  // Below the default of 1: the app's own composable of the same name wins.
  addImports(Object.entries(COMPOSABLES).map(([name, file]) => ({ name, from: `${dir}/${file}`, priority: -1 })))
  // Without a declaration: types of server routes are a part of the app's program, and there it is the server's.
  addImports(UTILS.map(name => ({ name, from: `${dir}/server-utils`, priority: -1, dtsDisabled: true })))
  // The app's own middleware of the same name wins here too.
  nuxt.hook('app:resolve', (app) => {
    if (app.middleware.some(({ name }) => name === MIDDLEWARE))
      return
    app.middleware.push({ name: MIDDLEWARE, path: `${dir}/guard`, global: false })
    // The router of apps without pages knows only what a plugin has added, and passes over the rest of `appMiddleware`.
    if (app.plugins.some(({ src }) => /\/app\/plugins\/router(?:\.\w+)?$/.test(src)))
      app.plugins.push({ src: `${dir}/guard-by-rule`, mode: 'all' })
  })
  addTemplate({ filename: 'unsession.mjs', getContents: () => exportKnown(nuxt, options) })
  addTypeTemplate({ filename: 'types/unsession.d.ts', getContents: () => declareExposed(exposedKeys(nuxt, options)) }, { nuxt: true, nitro: true })
}

function isForTests({ options: { test } }: Nuxt): boolean {
  return test && isTestBuild(process.env)
}

/** The keys that pages see. What is no array is refused when the server starts; layers may repeat a key. */
export function exposedKeys(nuxt: Nuxt, { expose }: SessionOptions): string[] {
  const keys = expose ?? configOf(nuxt).expose
  return Array.isArray(keys) ? [...new Set(keys)] : []
}

function configOf({ options: { runtimeConfig } }: Nuxt): SessionOptions {
  return (runtimeConfig as { session?: SessionOptions }).session ?? {}
}

/** What the code of the app finds at `#build/unsession.mjs`. */
function exportKnown(nuxt: Nuxt, options: Options): string {
  const { userKey, migrate, cookie } = { ...configOf(nuxt), ...options }
  const expose = exposedKeys(nuxt, options)
  return [
    `export const channel = ${JSON.stringify(`unsession ${cookie?.name ?? ''}`)}`,
    `export const exposed = ${JSON.stringify(expose)}`,
    `export const guard = ${JSON.stringify(resolveGuard(options.guard, { expose, userKey }))}`,
    // The cookie of another package has no mark, nor has that which a test brings along.
    `export const hasMark = ${!migrate && !isForTests(nuxt)}`,
  ].join('\n')
}

/** Lets `useClientSession` know the keys that it has. */
function declareExposed(keys: readonly string[]): string {
  return [
    'declare module \'unsession\' {',
    '  interface ExposedKeys {',
    ...keys.map(key => `    ${JSON.stringify(key)}: true`),
    '  }',
    '}',
    'export {}',
  ].join('\n')
}
