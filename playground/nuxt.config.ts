import { fileURLToPath } from 'node:url'

export default defineNuxtConfig({
  modules: ['../src/module'],
  compatibilityDate: '2026-11-01',
  css: ['~/assets/main.css'],
  app: {
    head: {
      htmlAttrs: { lang: 'en' },
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
