import type { Driver, TextStorage } from './driver'
import type * as FileSystem from 'node:fs/promises'
import type * as Path from 'node:path'
import { nanoid } from 'nanoid'
import { elapsed } from '../clock'
import { createDriverStorage } from './driver'
import { causeOf, Notice } from './notice'
import { revisionOf } from './text'

/** A lock this old was left by a process that died; nobody holds one for half as long. */
const STALE_LOCK_MILLISECONDS = 4000

/** What a lock file holds: the name of what its owner writes aside. */
const ASIDE_NAME = /^[\w-]{8}$/

/** What a killed process leaves beside a record. */
const LEFTOVER = /^[\da-f]{64}(?:\.lock|\.[\w-]{8}\.tmp)+$/

/** The sweep removes leftovers of this age. */
const LEFTOVER_MILLISECONDS = 60_000

/** Files that are looked at in one go. */
const BATCH = 32

/** Only its owner may read a session. */
const FILE_MODE = 0o600

/** Only its owner may see how many there are, how big, and when they change. */
const FOLDER_MODE = 0o700

interface Node {
  fs: typeof FileSystem
  path: typeof Path
}

/** The folder of a driver. */
interface Folder extends Node {
  root: string
}

/** A lock that this process has taken. */
interface Hold {
  /** Where to write what is going to take the place of the file: who breaks the lock removes it. */
  readonly aside: string
  /** False when it took so long that others may have taken the lock for left behind. */
  isHeld(): boolean
}

/**
 * The folder of unstorage's file system drivers, in their layout, with what they lack: a record
 * is written aside and renamed, so that nobody sees half of one, and a lock file beside it
 * keeps other processes out meanwhile. For other drivers `undefined`.
 */
export function createFileStorage(driver: Driver): TextStorage | undefined {
  const { base, readOnly } = (driver.options ?? {}) as { base?: string, readOnly?: boolean }
  const node = ['fs', 'fs-lite'].includes(driver.name ?? '') && base ? getNode() : undefined
  if (!node || readOnly)
    return undefined
  const { fs, path } = node
  const folder: Folder = { ...node, root: path.resolve(base!) }
  const pathOf = (key: string): string => path.join(folder.root, key.replaceAll(':', '/'))
  const notice = new Notice(`${driver.name} at ${folder.root}`, 'files')
  return {
    ...createDriverStorage(driver),
    notice,
    check: () => assertWritable(folder).catch(error => notice.failed('writing', causeOf(error))),
    set: (key, text) => withLock(folder, pathOf(key), hold => replaceFile(node, pathOf(key), text, hold)).then(assertDone),
    delete: key => withLock(folder, pathOf(key), hold => removeFile(node, pathOf(key), hold)).then(assertDone),
    compareAndSet: (key, revision, text) => withLock(folder, pathOf(key), async (hold) => {
      const stored = await fs.readFile(pathOf(key), 'utf8').catch(missing)
      if (stored === undefined ? revision !== undefined : revision === undefined || revisionOf(stored) !== revision)
        return false
      return text === undefined ? removeFile(node, pathOf(key), hold) : replaceFile(node, pathOf(key), text, hold)
    }),
    keys: prefix => listFiles(folder, pathOf(prefix), prefix),
  }
}

/** Rejects where nothing can be written, or the folder could not be made. */
async function assertWritable({ fs, path, root }: Folder): Promise<void> {
  // Without a permission that nothing else needs, Deno ends the process that asks.
  if ('Deno' in globalThis)
    return
  let folder = root
  while (!await fs.access(folder, fs.constants.W_OK | fs.constants.X_OK).then(() => true, missing))
    folder = path.dirname(folder)
}

/** Resolves to false, and replaces nothing, when the lock was held for too long. */
async function replaceFile({ fs }: Node, file: string, text: string, { aside, isHeld }: Hold): Promise<boolean> {
  try {
    await fs.writeFile(aside, text, { mode: FILE_MODE })
    if (isHeld()) {
      await fs.rename(aside, file)
      return true
    }
  }
  catch (error) {
    await fs.unlink(aside).catch(() => {})
    // Whoever broke the lock took it away.
    if (codeOf(error) !== 'ENOENT' || isHeld())
      throw error
    return false
  }
  await fs.unlink(aside).catch(missing)
  return false
}

async function removeFile({ fs }: Node, file: string, { isHeld }: Hold): Promise<boolean> {
  if (!isHeld())
    return false
  await fs.unlink(file).catch(missing)
  return true
}

/** Runs a task while no other process has the lock of a file. */
async function withLock<T>(folder: Folder, file: string, task: (hold: Hold) => Promise<T>): Promise<T> {
  const lock = `${file}.lock`
  const name = nanoid(8)
  const since = await takeLock(folder, lock, name)
  const isHeld = (): boolean => elapsed() - since < STALE_LOCK_MILLISECONDS / 2
  try {
    return await task({ aside: asideOf(file, name), isHeld })
  }
  finally {
    // One held for too long may be somebody else's by now.
    if (isHeld())
      await folder.fs.unlink(lock).catch(() => {})
  }
}

/** Resolves to a time before the lock was there: its age counts from then, however long the answer took. */
async function takeLock(folder: Folder, lock: string, name: string): Promise<number> {
  const { fs, path } = folder
  const deadline = elapsed() + 2 * STALE_LOCK_MILLISECONDS
  while (elapsed() < deadline) {
    try {
      const since = elapsed()
      const created = await fs.open(lock, 'wx', FILE_MODE)
      // On a full disk it is a lock without a name: there is nothing to write aside either.
      await created.write(name).catch(() => {})
      await created.close()
      return since
    }
    catch (error) {
      if (codeOf(error) === 'ENOENT')
        await makeFolder(folder, path.dirname(lock))
      else if (codeOf(error) !== 'EEXIST')
        throw error
      else if (await isOlder(fs, lock, STALE_LOCK_MILLISECONDS))
        await breakLock(folder, lock)
      else
        await new Promise(resolve => setTimeout(resolve, 1 + Math.random() * 9))
    }
  }
  throw new Error('The record stays locked by another process.')
}

/** Makes a folder for records. One that is there keeps its mode, and so do those above the driver's: they are not ours alone. */
async function makeFolder({ fs, path, root }: Folder, name: string): Promise<void> {
  await fs.mkdir(path.dirname(root), { recursive: true })
  await fs.mkdir(name, { recursive: true, mode: FOLDER_MODE })
}

/**
 * Removes a lock that was left, under a lock of its own: of several that saw it, one must not
 * remove the next one's. What its owner wrote aside goes first: one that only stood still can
 * no longer put it in the place of what others write from now on.
 */
function breakLock(folder: Folder, lock: string): Promise<void> {
  const { fs } = folder
  return withLock(folder, lock, async () => {
    if (!await isOlder(fs, lock, STALE_LOCK_MILLISECONDS))
      return
    const name = await fs.readFile(lock, 'utf8').catch(missing)
    if (name !== undefined && ASIDE_NAME.test(name))
      await fs.unlink(asideOf(lock.slice(0, -'.lock'.length), name)).catch(missing)
    await fs.unlink(lock).catch(missing)
  })
}

function asideOf(file: string, name: string): string {
  return `${file}.${name}.tmp`
}

async function isOlder(fs: Node['fs'], file: string, milliseconds: number): Promise<boolean> {
  const stats = await fs.stat(file).catch(missing)
  // A time that is as far in the future is that of a clock that was set back since.
  return stats !== undefined && Math.abs(Date.now() - stats.mtimeMs) >= milliseconds
}

async function removeLeftover(folder: Folder, file: string): Promise<void> {
  if (!await isOlder(folder.fs, file, LEFTOVER_MILLISECONDS))
    return
  if (file.endsWith('.lock'))
    await breakLock(folder, file)
  else
    await folder.fs.unlink(file).catch(missing)
}

/** The files of a folder, a few at a time; what killed processes left beside them is removed. */
async function* listFiles(folder: Folder, directoryName: string, prefix: string): AsyncGenerator<readonly string[]> {
  const { fs, path } = folder
  const directory = await fs.opendir(directoryName).catch(missing)
  if (!directory)
    return
  let batch: string[] = []
  for await (const { name } of directory) {
    if (LEFTOVER.test(name))
      await removeLeftover(folder, path.join(directoryName, name))
    else if (batch.push(prefix + name) === BATCH)
      yield batch.splice(0)
  }
  yield batch
}

function getNode(): Node | undefined {
  const load = globalThis.process?.getBuiltinModule
  const fs = load?.('node:fs')?.promises
  const path = load?.('node:path')
  return fs && path && { fs, path }
}

function assertDone(isDone: boolean): void {
  if (!isDone)
    throw new Error('The file system was too slow.')
}

function missing(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT')
    throw error
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
