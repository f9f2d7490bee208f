import type { Nitro } from './nitro'
import type { SessionOptions } from '../runtime/server/types'
import { configOf } from './runtime-config'
import { writeDriverModule } from './storage'

/** Brings the code that reads the cookies of the other package into the server, and none where nobody moves in. */
export async function addMigration(nitro: Nitro, dir: string): Promise<void> {
  const { migrate } = configOf(nitro)
  nitro.options.virtual['#unsession/migration'] = migrate ? await writeMigrationModule(nitro, migrate, dir) : 'export const from = undefined, source = undefined'
}

async function writeMigrationModule(nitro: Nitro, migrate: NonNullable<SessionOptions['migrate']>, dir: string): Promise<string> {
  const { from } = migrate
  return [
    `export const from = ${JSON.stringify(from)}`,
    `export * as source from ${JSON.stringify(`${dir}/${from}`)}`,
    await writeDriverModule(nitro, 'storage' in migrate ? migrate.storage ?? '' : ''),
  ].join('\n')
}
