import type { App } from '../../support/apps'
import type { Settings, Target } from './kind'
import { mkdtemp, rename } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { STORES } from '../stores'

/** The config of an app on Nitro or Nuxt. */
export function toConfig({ runtime, store }: Target): object {
  return {
    compatibilityDate: '2026-11-01',
    modules: ['unsession'],
    session: { maxAge: 60 * 60 * 24, expose: ['user'], ...STORES[store].options },
    ...runtime.config,
  }
}

/** Moves a build away, so that the next one does not replace it; answers the entry of its server. */
export async function keepOutput({ dir }: App): Promise<string> {
  const kept = await mkdtemp(join(dir, '.built-'))
  await rename(join(dir, '.output'), kept)
  return relative(dir, join(kept, 'server/index.mjs'))
}

export function toEnv({ mode, secret, redisUrl }: Settings): Record<string, string> {
  return { NITRO_SESSION_MODE: mode, NITRO_SESSION_SECRET: secret, ...redisUrl && { NITRO_SESSION_STORAGE_URL: redisUrl } }
}
