import type { AppKind, Target } from './kind'
import { nitroApp } from '../../support/apps'
import { STORES } from '../stores'
import { keepOutput } from './output'

export const nitro2: AppKind = {
  title: 'Nitro 2',
  packages: version => [`nitropack@${version}`, 'ioredis@5.11.1'],
  files: () => nitroApp,
  async build(app, target) {
    await app.add({ 'nitro.config.ts': toConfig(target) })
    await app.bin('nitropack', 'build', '--preset', target.runtime.preset)
    return keepOutput(app)
  },
}

function toConfig({ runtime, store }: Target): string {
  const config = { compatibilityDate: '2026-11-01', modules: ['unsession'], session: { maxAge: 86_400, ...STORES[store].options }, ...runtime.config }
  return `import { defineNitroConfig } from 'nitropack/config'

export default defineNitroConfig(${JSON.stringify(config, null, 2)})
`
}
