import type { ChildProcess } from 'node:child_process'
import type { NitroConfig } from 'nitropack/types'
import type { NitroBuild } from './builds'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { build, copyPublicAssets, createNitro, prepare, prerender } from 'nitropack/core'
import { asProduction, provideBuild } from './builds'

const fixtures = join(import.meta.dirname, '../fixtures')

/** At least 32 characters, and no secret at all. */
export const TEST_SECRET = 'a secret of the tests, not of anybody else'

/** Environment of a server without the timer of the clean-up, which reads and removes while a test counts. */
export const WITHOUT_CLEANUP = {
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(`
    const { setTimeout } = globalThis
    globalThis.setTimeout = (task, delay, ...args) => setTimeout(task, delay >= 60_000 ? 2 ** 31 - 1 : delay, ...args)
  `)}`,
}

export type { NitroBuild } from './builds'

/** Builds for production as `nitropack build` does, into a folder of its own. Without source maps, which no server reads unless it is told to. */
export function buildNitro(fixture: string, config: NitroConfig = {}): Promise<NitroBuild> {
  return provideBuild('nitropack', fixture, config, outputDir => asProduction(() => buildTo(outputDir, fixture, config)))
}

/** The same as a test of an app builds it. */
export function buildNitroForTests(fixture: string, config: NitroConfig = {}): Promise<NitroBuild> {
  return provideBuild('nitropack for tests', fixture, config, outputDir => buildTo(outputDir, fixture, config))
}

async function buildTo(outputDir: string, fixture: string, config: NitroConfig): Promise<void> {
  const nitro = await createNitro({ logLevel: 1, sourceMap: false, ...config, rootDir: join(fixtures, fixture), buildDir: join(outputDir, 'build'), output: { dir: outputDir } })
  await prepare(nitro)
  await copyPublicAssets(nitro)
  await prerender(nitro)
  await build(nitro)
  await nitro.close()
}

/** A server process that the test started and ends. */
export interface RunningServer {
  url: string
  process: ChildProcess
  /** Everything it printed. */
  output(): string
  stop(): Promise<void>
}

/** Starts a built server on a free port of 127.0.0.1 and waits until it listens. */
export function startServer(entry: string, env: Record<string, string> = {}, cwd?: string): Promise<RunningServer> {
  return startCommand(process.execPath, [entry], { HOST: '127.0.0.1', PORT: '0', NITRO_SESSION_SECRET: TEST_SECRET, ...env }, cwd)
}

/** Starts a command that prints the address it listens on, and waits until it answers. */
export async function startCommand(command: string, args: string[], env: Record<string, string>, cwd?: string): Promise<RunningServer> {
  // A group of its own: what the command starts ends with it.
  const child = spawn(command, args, { cwd, env: { ...environment(), ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let output = ''
  const listening = new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk
      // Not every host prints the protocol, and a number may come in pieces. Lines in brackets are of libraries, and may name a Redis.
      const address = /127\.0\.0\.1:\d+(?=\D)/.exec(output.replaceAll(/^\[\w+\].*$/gm, ''))?.[0]
      if (address)
        resolve(`http://${address}`)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', code => reject(new Error(`The server ended with code ${code}:\n${output}`)))
  })
  const url = await listening
  // A dev server listens before it has built; until then it answers 503, or lets a request down.
  while (await statusOf(url) === 503) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`The server ended with code ${child.exitCode}:\n${output}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return {
    url,
    process: child,
    output: () => output,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null)
        return
      const closed = once(child, 'close')
      process.kill(-child.pid!)
      await closed
    },
  }
}

function statusOf(url: string): Promise<number> {
  return fetch(url, { signal: AbortSignal.timeout(60_000) }).then(({ status }) => status, () => 503)
}

/** The environment of a shell: without what tells programs that they run in a test. */
export function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:NODE_ENV|TEST|VITEST.*)$/.test(name)))
}

/** Runs a built server that is expected to end by itself. */
export async function runToEnd(entry: string, env: Record<string, string>): Promise<{ code: number, output: string }> {
  const child = spawn(process.execPath, [entry], { env: { ...environment(), HOST: '127.0.0.1', PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', chunk => output += chunk)
  child.stderr.on('data', chunk => output += chunk)
  const [code] = await once(child, 'close')
  return { code, output }
}
