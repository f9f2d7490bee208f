import type { RunningServer } from './nitro'
import { execFileSync } from 'node:child_process'
import { chmod, chown, cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCommand, TEST_SECRET } from './nitro'
import { PATIENT } from './trouble'

/** For whom permissions count, unlike for root; on Linux the user `nobody`. */
const NOBODY = 65534

const isRoot = process.getuid?.() === 0

/** Where the records of a server are, and how to start servers there. */
export interface RecordFolder {
  /** The working directory of the servers. */
  dir: string
  /** The records are in here. */
  records: string
  /** All files in the folder of the records, whatever they are, by their path in it. */
  files(): Promise<string[]>
  start(settings?: StartSettings): Promise<RunningServer>
  /** Takes away and gives back the permission to change anything in the folder of the records. */
  setWritable(isWritable: boolean): Promise<void>
  remove(): Promise<void>
}

export interface StartSettings {
  /** Bytes that a file may have: writing more fails part-way, as on a full disk. */
  maxFileBytes?: number
  env?: Record<string, string>
}

/** A new folder for the records of servers of one build. */
export async function createRecordFolder(outputDir: string): Promise<RecordFolder> {
  // Short-lived copies, because a user without rights may not reach the repository.
  const dir = await mkdtemp(join(tmpdir(), 'unsession-records-'))
  await chmod(dir, 0o755)
  await cp(join(outputDir, 'server'), join(dir, 'server'), { recursive: true, verbatimSymlinks: true })
  await makeReadable(join(dir, 'server'))
  if (isRoot)
    await chown(dir, NOBODY, NOBODY)
  const records = join(dir, '.data/session')
  return {
    dir,
    records,
    files: () => listFiles(records),
    start: ({ maxFileBytes, env = {} } = {}) => {
      const node = [process.execPath, ...(isRoot ? ['--import', becomeNobody] : []), join(dir, 'server/index.mjs')]
      // Blocks of 512 bytes; Node ignores the signal, so that the write fails instead.
      const command = maxFileBytes ? ['sh', '-c', `ulimit -f ${maxFileBytes / 512}; exec "$@"`, 'sh', ...node] : node
      return startCommand(command[0]!, command.slice(1), {
        HOST: '127.0.0.1',
        PORT: '0',
        NITRO_SESSION_SECRET: TEST_SECRET,
        NITRO_SESSION_STORAGE_BASE: records,
        ...PATIENT,
        ...env,
      }, dir)
    },
    setWritable: isWritable => setWritable(records, isWritable),
    async remove() {
      await setWritable(records, true).catch(() => {})
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** For the first process only: the workers of a cluster inherit the argument, and are nobody already. */
const becomeNobody = `data:text/javascript,if(process.getuid()===0){process.setgroups([${NOBODY}]);process.setgid(${NOBODY});process.setuid(${NOBODY})}`

async function makeReadable(dir: string): Promise<void> {
  await chmod(dir, 0o755)
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink())
      await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644)
  }
}

async function setWritable(dir: string, isWritable: boolean): Promise<void> {
  const paths = (await readdir(dir, { recursive: true, withFileTypes: true })).map(entry => [join(entry.parentPath, entry.name), entry.isDirectory()] as const)
  for (const [path, isFolder] of [[dir, true] as const, ...paths])
    await chmod(path, (isFolder ? 0o555 : 0o444) | (isWritable ? 0o200 : 0))
}

async function listFiles(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries.filter(entry => !entry.isDirectory()).map(entry => join(entry.parentPath, entry.name).slice(dir.length + 1)).sort()
}

/** Mounts a small file system of its own over a folder; answers false where that is not allowed. */
export function mountSmall(dir: string, kilobytes: number): boolean {
  if (!isRoot)
    return false
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k,mode=0777`, 'tmpfs', dir], { stdio: 'ignore' })
    return true
  }
  catch {
    return false
  }
}

export function unmount(dir: string): void {
  execFileSync('umount', [dir], { stdio: 'ignore' })
}

/** True where {@link mountSmall} works. */
export async function canMount(): Promise<boolean> {
  const dir = await mkdtemp(join(tmpdir(), 'unsession-mount-'))
  const isMounted = mountSmall(dir, 64)
  if (isMounted)
    unmount(dir)
  else
    console.warn('Skipped: a file system can be mounted by root only.')
  await rm(dir, { recursive: true, force: true })
  return isMounted
}
