import type { RunningServer } from './nitro'
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { COOKIE, createVisitor, setCookiesOf } from './browser'
import { startServer } from './nitro'

/** Files by path. */
export type Files = Record<string, string>

/** A new app in an empty folder, outside of this repository. */
export interface App {
  dir: string
  add(files: Files): Promise<void>
  /** Runs a command to its end; answers all that it printed, and rejects when it fails. */
  run(command: string, ...args: string[]): Promise<string>
  /** Runs what an installed package brings, without the words that npx adds. */
  bin(name: string, ...args: string[]): Promise<string>
  remove(): Promise<void>
}

/** @param path folders whose programs are found before those of the machine */
export async function createApp(files: Files = {}, path: readonly string[] = []): Promise<App> {
  const dir = await mkdtemp(join(tmpdir(), 'unsession-app-'))
  const app: App = {
    dir,
    async add(files) {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(dir, path)), { recursive: true })
        await writeFile(join(dir, path), text)
      }
    },
    run: (command, ...args) => runToText(command, args, dir, path),
    bin: (name, ...args) => runToText(join(dir, 'node_modules/.bin', name), args, dir, path),
    remove: () => rm(dir, { recursive: true, force: true }),
  }
  await app.add({ 'package.json': '{ "name": "app", "private": true, "type": "module" }\n', ...files })
  return app
}

/** Routes that both kinds of app serve, in their folder for routes. */
function routes(dir: string): Files {
  return {
    [`${dir}/me.ts`]: `export default defineEventHandler(async (event) => {
  const session = await useSession(event)
  return { user: session.get('user') ?? null, message: flash(event, 'success') ?? null }
})
`,
    [`${dir}/visits.ts`]: `export default defineEventHandler(event =>
  updateSession(event, data => ({ visits: (data.visits ?? 0) + 1 })))
`,
    [`${dir}/login.post.ts`]: `import { regenerateSession as startAgain } from 'unsession/server'

export default defineEventHandler(async (event) => {
  await startAgain(event, { user: 'Ada' })
  flash(event, 'success', 'Welcome')
  return sendRedirect(event, '/me', 303)
})
`,
    [`${dir}/logout.post.ts`]: `export default defineEventHandler(async (event) => {
  await destroySession(event)
  return sendNoContent(event)
})
`,
  }
}

const SESSION_TYPES = `declare module 'unsession' {
  interface SessionData { user?: string, visits?: number }
  interface FlashMessages { success: string }
}

export {}
`

/** Lines that a compiler must refuse: 3 to 5 of every file `wrong.ts`. */
const WRONG = `/** Never built. */
export const handler = defineEventHandler(async (event) => {
  await updateSession(event, { visits: 'one' })
  await useSession(event, { password: 'of h3' })
  flash(event, 'failure')
  console.info(event.path.length)
})
`

export const nitroApp: Files = {
  'nitro.config.ts': `import { defineNitroConfig } from 'nitropack/config'

export default defineNitroConfig({
  compatibilityDate: '2026-11-01',
  modules: ['unsession'],
  session: { maxAge: 60 * 60 * 24 },
})
`,
  'tsconfig.json': '{ "extends": "./.nitro/types/tsconfig.json" }\n',
  'session.d.ts': SESSION_TYPES,
  'wrong.ts': WRONG,
  ...routes('routes'),
}

/** A Nuxt app without sessions. */
export const plainNuxtApp: Files = {
  'nuxt.config.ts': `export default defineNuxtConfig({ compatibilityDate: '2026-11-01' })
`,
  'app/app.vue': `<template>
  <main>plain</main>
</template>
`,
  'server/routes/me.ts': `export default defineEventHandler(() => ({ user: null }))
`,
}

export const nuxtApp: Files = {
  'nuxt.config.ts': `export default defineNuxtConfig({
  compatibilityDate: '2026-11-01',
  modules: ['unsession'],
  session: { maxAge: 60 * 60 * 24 },
})
`,
  'nuxt.config.wrong.ts': `/** Never loaded. */
export default defineNuxtConfig({
  session: { lifetime: 60 },
})
`,
  'app/app.vue': `<script setup lang="ts">
const { data } = await useFetch('/visits')
</script>

<template>
  <main>visits: {{ data?.visits }}</main>
</template>
`,
  'server/session.d.ts': SESSION_TYPES,
  'server/wrong.ts': WRONG,
  ...routes('server/routes'),
}

/** Lines of a tool's output that speak of something that is not as it should be. */
export function warningsIn(output: string): string[] {
  return output.split('\n').map(line => line.trim())
    .filter(line => /\bwarn|deprecat|duplicat|externaliz|unresolved|circular|could not|\berror:|✕/i.test(line))
}

/** What a visitor sees who comes, signs in and leaves; see {@link tellStory}. */
export const STORY = {
  first: { user: null, message: null, cookies: 0 },
  visits: [{ visits: 1 }, { visits: 2 }],
  login: { status: 303, cookies: 1, isRenewed: true },
  welcome: { user: 'Ada', message: 'Welcome' },
  again: { user: 'Ada', message: null },
  signedIn: { user: 'Ada', visits: 3 },
  logout: { status: 204, isCookieGone: true },
  last: { user: null, message: null },
  warnings: [],
}

/** A visitor's whole story with a built app, in one mode; answers what to compare with {@link STORY}. */
export async function tellStory({ dir }: App, mode: 'storage' | 'cookie'): Promise<unknown> {
  const server = await startServer(join(dir, '.output/server/index.mjs'), { NITRO_SESSION_MODE: mode }, dir)
  try {
    return await tellStoryOf(server)
  }
  finally {
    await server.stop()
  }
}

/** The same with a server that runs already. */
export async function tellStoryOf(server: RunningServer): Promise<unknown> {
  const visitor = createVisitor(server.url)
  const response = await visitor.fetch('/me')
  const first = { ...await response.json(), cookies: setCookiesOf(response, COOKIE).length }
  const visits = [await visitor.json('/visits'), await visitor.json('/visits')]
  const anonymous = visitor.cookies.get(COOKIE)
  const login = await visitor.post('/login')
  const isRenewed = visitor.cookies.get(COOKIE) !== anonymous
  const welcome = await visitor.json('/me')
  const again = await visitor.json('/me')
  const signedIn = await visitor.json('/visits')
  const logout = await visitor.post('/logout')
  return {
    first,
    visits,
    login: { status: login.status, cookies: setCookiesOf(login, COOKIE).length, isRenewed },
    welcome,
    again,
    signedIn,
    logout: { status: logout.status, isCookieGone: !visitor.cookies.has(COOKIE) },
    last: await visitor.json('/me'),
    warnings: warningsIn(server.output()),
  }
}

/** What the server imports and brings along from packages. */
export async function packagesOf({ dir }: App): Promise<{ imported: string[], installed: string[] }> {
  const server = join(dir, '.output/server')
  const files = await readdir(server, { recursive: true })
  const imported = new Set<string>()
  for (const file of files.filter(file => /\.m?js$/.test(file) && !file.startsWith('node_modules'))) {
    for (const [, name = ''] of (await readFile(join(server, file), 'utf8')).matchAll(/(?:\bfrom|\bimport\(?)\s*["'](@[^/"']+\/[^/"']+|[^@./"'][^/"']*)/g))
      imported.add(name)
  }
  const installed = files.map(file => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^@/]+)$/.exec(file)?.[1]).filter(name => name !== undefined)
  return { imported: [...imported].sort(), installed: installed.sort() }
}

async function runToText(command: string, args: string[], cwd: string, path: readonly string[]): Promise<string> {
  // Without what npm and vitest tell their children, as in a user's shell.
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:NODE_ENV|TEST|DEV|PROD|MODE|SSR|BASE_URL|VITEST.*|npm_(?:package|lifecycle)_.*)$/.test(name))
  const env = { ...Object.fromEntries(inherited), CI: 'true', NO_COLOR: '1', NUXT_TELEMETRY_DISABLED: '1', PATH: [...path, process.env.PATH].join(delimiter) }
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', chunk => output += chunk)
  child.stderr.on('data', chunk => output += chunk)
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output}`)
  return output
}
