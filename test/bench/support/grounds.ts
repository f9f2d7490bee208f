import type { Means } from '../peers/peer'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRedis } from '../../support/redis'

/** Where the peers of a run keep what they keep. */
export interface Grounds {
  /** For each peer its own. */
  means: readonly Means[]
  close(): Promise<void>
}

/** One Redis with a database for each of so many peers, and a folder for each. */
export async function openGrounds(count: number): Promise<Grounds> {
  const redis = await startRedis({ args: ['--databases', String(count)] })
  const root = await mkdtemp(join(tmpdir(), 'unsession-bench-'))
  const means = Array.from({ length: count }, (_, index): Means => ({ redisUrl: `${redis.url}/${index}`, folder: join(root, String(index)) }))
  await Promise.all(means.map(({ folder }) => mkdir(folder)))
  return {
    means,
    async close() {
      await redis.stop()
      await rm(root, { recursive: true, force: true })
    },
  }
}
