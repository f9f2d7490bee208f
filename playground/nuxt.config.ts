import { fileURLToPath } from 'node:url'

export default defineNuxtConfig({
  modules: ['../src/module'],
  compatibilityDate: '2026-11-01',
  // What the browser may read. The rest, as the count of wrong passwords, never leaves the server.
  session: { expose: ['user', 'theme', 'visits'], guard: { require: 'user', redirectTo: '/login?guarded=yes' } },
  routeRules: {
    '/cached': { swr: 60 },
    '/prerendered': { prerender: true },
  },
  // A page that the last run cached would not fit to the code of this one.
  nitro: { devStorage: { cache: { driver: 'memory' } } },
  css: ['~/assets/main.css'],
  app: {
    head: {
      htmlAttrs: { lang: 'en' },
      meta: [{ name: 'description', content: 'What unsession does in a Nuxt app, page by page.' }],
      link: [{ rel: 'icon', type: 'image/svg+xml', href: '/favicon.svg' }],
    },
  },
  // Here the package is its own sources; an app that installed it has no need of this.
  alias: {
    'unsession': fileURLToPath(new URL('../src/nitro', import.meta.url)),
    'unsession/server': fileURLToPath(new URL('../src/runtime/server/index', import.meta.url)),
  },
  devServer: { host: '127.0.0.1' },
  devtools: { enabled: false },
  telemetry: false,
})
