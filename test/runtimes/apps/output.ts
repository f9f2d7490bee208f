import type { App } from '../../support/apps'
import { mkdtemp, rename } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** Moves a build away, so that the next one does not replace it; answers the entry of its server. */
export async function keepOutput({ dir }: App): Promise<string> {
  const kept = await mkdtemp(join(dir, '.built-'))
  await rename(join(dir, '.output'), kept)
  return relative(dir, join(kept, 'server/index.mjs'))
}
