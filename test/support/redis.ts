import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { freePort } from './ports'

/** A Redis of the test's own. */
export interface RunningRedis {
  url: string
  stop(): Promise<void>
}

/** True when the test can run; with `CI=true` a missing Redis is a failure, not a reason to skip. */
export function hasRedis(): boolean {
  if (process.env.CI)
    return true
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' })
    return true
  }
  catch {
    console.warn('Skipped: redis-server is not installed.')
    return false
  }
}

/** Starts redis-server on a free port of 127.0.0.1, in memory only. */
export async function startRedis(): Promise<RunningRedis> {
  const port = await freePort()
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes('Ready to accept connections'))
      break
  }
  child.stdout.resume()
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      const exited = once(child, 'exit')
      child.kill()
      await exited
    },
  }
}
