import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Waits until nobody else holds the lock; a process that died holds nothing. Answers how to let it go. */
export async function lock(path: string): Promise<() => Promise<void>> {
  await mkdir(dirname(path), { recursive: true })
  while (true) {
    const file = await open(path, 'wx').catch(() => undefined)
    if (file) {
      await file.writeFile(String(process.pid))
      await file.close()
      return () => rm(path)
    }
    if (!isAlive(Number(await readFile(path, 'utf8').catch(() => ''))))
      await rm(path, { force: true })
    else
      await new Promise(resolve => setTimeout(resolve, 200))
  }
}

function isAlive(pid: number): boolean {
  // Still being written.
  if (pid === 0)
    return true
  try {
    process.kill(pid, 0)
    return true
  }
  catch {
    return false
  }
}
