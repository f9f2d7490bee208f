import { randomBytes } from 'node:crypto'
import { linkSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

/**
 * A random key that tests and the servers that they run share: in a file of the temporary folder
 * that only this user reads. It is in no build, which others may read: a server that was built for tests
 * and is reachable by mistake lets nobody in.
 */
export function readTestKey(): string {
  const user = process.getuid?.() ?? userInfo().username
  const path = join(tmpdir(), `unsession-test-${user}`)
  return readOwn(path) ?? create(path)
}

function readOwn(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (!stats)
    return undefined
  const isOwn = stats.isFile() && (!process.getuid || (stats.uid === process.getuid() && (stats.mode & 0o077) === 0))
  if (!isOwn)
    throw new Error(`[unsession] '${path}' keeps a key for tests, and others can read or write it. Remove it: another one is made. If you cannot, let TMPDIR name a folder of your own.`)
  return readFileSync(path, 'utf8')
}

/** Appears as a whole, and is the first of those that several processes make. */
function create(path: string): string {
  const draft = `${path}-${randomBytes(8).toString('hex')}`
  writeFileSync(draft, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' })
  try {
    linkSync(draft, path)
  }
  catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw error
  }
  finally {
    rmSync(draft)
  }
  return readOwn(path)!
}
