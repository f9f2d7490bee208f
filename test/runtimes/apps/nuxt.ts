import type { AppKind, Target } from './kind'
import { nuxtApp } from '../../support/apps'
import { STORES } from '../stores'
import { keepOutput } from './output'

const PAGE = `<script setup lang="ts">
const { data } = useClientSession()
</script>

<template>
  <main>user: {{ data.user ?? 'nobody' }}</main>
</template>
`

export const nuxt: AppKind = {
  title: 'Nuxt',
  hasPage: true,
  packages: version => [`nuxt@${version}`, 'ioredis@5.11.1'],
  files: (version) => {
    const { 'app/app.vue': _, ...files } = nuxtApp
    return { ...files, [version.startsWith('3.') ? 'app.vue' : 'app/app.vue']: PAGE }
  },
  async build(app, target) {
    await app.add({ 'nuxt.config.ts': toConfig(target) })
    await app.bin('nuxt', 'build', '--preset', target.runtime.preset)
    return keepOutput(app)
  },
}

function toConfig({ runtime, store }: Target): string {
  const config = { compatibilityDate: '2026-11-01', modules: ['unsession'], session: { maxAge: 86_400, expose: ['user'], ...STORES[store].options }, nitro: runtime.config }
  return `export default defineNuxtConfig(${JSON.stringify(config, null, 2)})\n`
}
