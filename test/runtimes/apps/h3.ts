import type { AppKind } from './kind'
import { IOREDIS } from './kind'

const SESSIONS = `import { env } from 'node:process'
import { createUnstorageStore, sessionMiddleware } from 'unsession/h3'

export const store = env.REDIS_URL
  ? await createUnstorageStore({ type: 'redis', options: { url: env.REDIS_URL } })
  : await createUnstorageStore({ type: 'fs', options: { base: './.data/session' } })

export const sessions = sessionMiddleware({ mode: env.SESSION_MODE, secret: env.SESSION_SECRET, store })
`

/** What both majors do in the same way. */
const HANDLERS = `import { destroySession, flash, regenerateSession, updateSession, useSession } from 'unsession/h3'

export async function me(event) {
  const session = await useSession(event)
  return { user: session.get('user') ?? null, message: flash(event, 'success') ?? null }
}

export function visits(event) {
  return updateSession(event, data => ({ visits: (data.visits ?? 0) + 1 }))
}

export async function login(event) {
  await regenerateSession(event, { user: 'Ada' })
  flash(event, 'success', 'Welcome')
}

export async function logout(event) {
  await destroySession(event)
}
`

const APP_1 = `import { createApp, createRouter, eventHandler, sendNoContent, sendRedirect } from 'h3'
import { login, logout, me, visits } from './handlers.mjs'
import { sessions } from './sessions.mjs'

export const app = createApp(sessions.hooks)
app.use(sessions)
app.use(createRouter()
  .get('/me', eventHandler(me))
  .get('/visits', eventHandler(visits))
  .post('/login', eventHandler(async (event) => {
    await login(event)
    return sendRedirect(event, '/me', 303)
  }))
  .post('/logout', eventHandler(async (event) => {
    await logout(event)
    return sendNoContent(event)
  })))
`

const APP_2 = `import { H3, noContent, redirect } from 'h3'
import { login, logout, me, visits } from './handlers.mjs'
import { sessions } from './sessions.mjs'

export const app = new H3()
  .use(sessions)
  .get('/me', me)
  .get('/visits', visits)
  .post('/login', async (event) => {
    await login(event)
    return redirect('/me', 303)
  })
  .post('/logout', async (event) => {
    await logout(event)
    return noContent()
  })
`

const LISTEN_NODE = `createServer(listener).listen(env.PORT, env.HOST, function () {
  console.log(\`Listening on http://127.0.0.1:\${this.address().port}\`)
})
`

const LISTEN_WEB = `const options = { port: Number(env.PORT), hostname: env.HOST }
// What Bun gives besides the request is one object for all requests, which h3 would take for their context.
if (globalThis.Bun)
  console.log(\`Listening on \${Bun.serve({ ...options, fetch: request => fetch(request) }).url}\`)
else
  Deno.serve(options, request => fetch(request))
`

/** The ways of serving an app, by what h3 calls them. */
const SERVERS = {
  toNodeListener: `import { createServer } from 'node:http'
import { env } from 'node:process'
import { toNodeListener } from 'h3'
import { app } from './app.mjs'

const listener = toNodeListener(app)
${LISTEN_NODE}`,
  toNodeHandler: `import { createServer } from 'node:http'
import { env } from 'node:process'
import { toNodeHandler } from 'h3/node'
import { app } from './app.mjs'

const listener = toNodeHandler(app)
${LISTEN_NODE}`,
  toWebHandler: `import { env } from 'node:process'
import { toWebHandler } from 'h3'
import { app } from './app.mjs'

const fetch = toWebHandler(app)
${LISTEN_WEB}`,
  appFetch: `import { env } from 'node:process'
import { app } from './app.mjs'

const { fetch } = app
${LISTEN_WEB}`,
  serve: `import process, { env } from 'node:process'
import { serve } from 'h3'
import { app } from './app.mjs'
import { store } from './sessions.mjs'

const server = serve(app, { port: Number(env.PORT), hostname: env.HOST })
// h3 lets the process end by itself, which an open connection would prevent.
process.once('SIGTERM', () => server.close().then(() => store.dispose()))
`,
}

/** An app without Nitro. Nothing is built: what is written is what runs. */
export function h3(served: keyof typeof SERVERS): AppKind {
  return {
    title: version => `h3 ${version}, \`${served === 'appFetch' ? 'app.fetch' : served}\``,
    packages: version => [`h3@${version}`, 'unstorage@1.17.6', IOREDIS],
    files: version => ({
      'sessions.mjs': SESSIONS,
      'handlers.mjs': HANDLERS,
      'app.mjs': version.startsWith('1.') ? APP_1 : APP_2,
      ...Object.fromEntries(Object.entries(SERVERS).map(([name, text]) => [`${name}.mjs`, text])),
    }),
    build: async () => `${served}.mjs`,
    toEnv: ({ mode, secret, redisUrl }) => ({ SESSION_MODE: mode, SESSION_SECRET: secret, ...redisUrl && { REDIS_URL: redisUrl } }),
  }
}
