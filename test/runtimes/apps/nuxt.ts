import type { AppKind } from './kind'
import { nuxtApp } from '../../support/apps'
import { IOREDIS } from './kind'
import { keepOutput, toConfig, toEnv } from './nitro-host'

const PAGE = `<script setup lang="ts">
const { data } = useClientSession()
</script>

<template>
  <main>user: {{ data.user ?? 'nobody' }}</main>
</template>
`

export const nuxt: AppKind = {
  title: version => `Nuxt ${version}`,
  hasPage: true,
  packages: version => [`nuxt@${version}`, IOREDIS],
  files(version) {
    const { 'app/app.vue': _, ...files } = nuxtApp
    return { ...files, [version.startsWith('3.') ? 'app.vue' : 'app/app.vue']: PAGE }
  },
  async build(app, target) {
    const { compatibilityDate, modules, session, ...nitro } = toConfig(target) as Record<string, unknown>
    const config = { compatibilityDate, modules, session, nitro }
    await app.add({ 'nuxt.config.ts': `export default defineNuxtConfig(${JSON.stringify(config, null, 2)})\n` })
    await app.bin('nuxt', 'build', '--preset', target.runtime.preset)
    return keepOutput(app)
  },
  toEnv,
}
