import type { ChildProcess } from 'node:child_process'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from './ports'

export interface RedisSettings {
  /** Keeps every acknowledged write over a kill and a restart. */
  isLasting?: boolean
  /** Further arguments of redis-server, for example `['--maxmemory', '3mb']`. */
  args?: string[]
}

/** A Redis of the test's own. */
export interface RunningRedis {
  url: string
  port: number
  /** Ends it as a crash does. */
  kill(): Promise<void>
  /** It still accepts connections and answers nothing, until `resume`. */
  pause(): void
  resume(): void
  /** Starts it again on the same port, after `kill`. */
  restart(): Promise<void>
  /** Ends it and removes what it kept. */
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

/** Starts redis-server on a free port of 127.0.0.1, in memory unless the settings say otherwise. */
export async function startRedis({ isLasting = false, args = [] }: RedisSettings = {}): Promise<RunningRedis> {
  const port = await freePort()
  const dir = await mkdtemp(join(tmpdir(), 'unsession-redis-'))
  const persistence = isLasting ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no']
  const start = (): Promise<ChildProcess> => run(['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dir, ...persistence, ...args])
  let child = await start()
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null)
      return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill: () => end('SIGKILL'),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async restart() {
      child = await start()
    },
    async stop() {
      child.kill('SIGCONT')
      await end('SIGTERM')
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** Resolves when the server accepts connections. */
async function run(args: string[]): Promise<ChildProcess> {
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  for await (const line of createInterface({ input: child.stdout })) {
    output += `${line}\n`
    if (line.includes('Ready to accept connections'))
      break
  }
  if (!output.includes('Ready to accept connections'))
    throw new Error(`redis-server did not start:\n${output}`)
  child.stdout.resume()
  return child
}
