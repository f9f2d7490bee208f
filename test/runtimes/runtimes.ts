import type { RunningServer } from '../support/nitro'
import { join } from 'node:path'
import { startCommand } from '../support/nitro'

/** A program that runs servers. npm installs it into a folder of the matrix. */
export interface Runtime {
  /** Its name in the table. */
  title: string
  packages: string[]
  /** What Nitro builds for it. */
  preset: string
  /** The options of the config that a build for it takes. */
  config?: object
  /** The folder of `node` below that of the packages, where not the machine's Node installs and builds. */
  path?: string
  /**
   * The command that runs the entry of a server.
   *
   * @param preload a module that runs before it
   */
  command(dir: string, entry: string, preload?: string): [command: string, ...args: string[]]
}

const NODE_20 = process.version.startsWith('v20.') ? [] : [nodePackage('20.20.2')]
const NODE_24 = [nodePackage('24.21.0')]
const WORKERD = ['miniflare@4.20260426.0']

/** What Nitro's own `deno.json` allows, and what it asks Deno to do as Node does. */
const DENO_FLAGS = ['--allow-net', '--allow-read', '--allow-write', '--allow-env', '--unstable-byonm', '--unstable-node-globals']

export const RUNTIMES = {
  node20: node('Node 20', NODE_20),
  node24: node('Node 24', NODE_24),
  bun: {
    title: 'Bun',
    packages: ['bun@1.4.5'],
    preset: 'bun',
    command: (dir, entry, preload) => [join(dir, 'node_modules/.bin/bun'), 'run', ...flag('--preload', preload), entry],
  },
  deno: {
    title: 'Deno',
    packages: ['deno@2.9.6'],
    preset: 'deno-server',
    command: (dir, entry, preload) => [join(dir, 'node_modules/.bin/deno'), 'run', ...DENO_FLAGS, ...flag('--preload', preload), entry],
  },
  workerd: workerd('workerd', false),
  workerdNode: workerd('workerd, `nodejs_compat`', true),
} satisfies Record<string, Runtime>

export type RuntimeName = keyof typeof RUNTIMES

/** More than any server takes to end when it is told to. */
const MAX_STOP = 120_000

/**
 * Starts the entry of a server in its own folder, on a free port of 127.0.0.1. One that does not
 * end when it is told to is killed, and `stop` rejects.
 */
export async function startOn(name: RuntimeName, dir: string, entry: string, env: Record<string, string>, preload?: string): Promise<RunningServer> {
  const [command, ...args] = (RUNTIMES[name] as Runtime).command(dir, entry, preload)
  const server = await startCommand(command, args, { HOST: '127.0.0.1', PORT: '0', DENO_NO_UPDATE_CHECK: '1', ...env }, join(entry, '..'))
  return {
    ...server,
    async stop() {
      let isKilled = false
      const killing = setTimeout(() => isKilled = process.kill(-server.process.pid!, 'SIGKILL'), MAX_STOP)
      await server.stop()
      clearTimeout(killing)
      if (isKilled)
        throw new Error(`The server did not end within ${MAX_STOP / 1000} s:\n${server.output()}`)
    },
  }
}

/** The package of npm that holds the binary; the one named `node` fetches it in an install script. */
function nodePackage(version: string): string {
  return `node-${process.platform}-${process.arch}@${version}`
}

function flag(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, value]
}

function node(title: string, packages: string[]): Runtime {
  const [name] = packages.map(spec => spec.slice(0, spec.indexOf('@')))
  const path = name && `node_modules/${name}/bin`
  return { title, packages, preset: 'node-server', path, command: (dir, entry, preload) => [path ? join(dir, path, 'node') : process.execPath, ...flag('--import', preload), entry] }
}

function workerd(title: string, nodeCompat: boolean): Runtime {
  return {
    title,
    packages: WORKERD,
    preset: 'cloudflare-module',
    config: { cloudflare: { nodeCompat, deployConfig: false } },
    command: (dir, entry) => [process.execPath, join(import.meta.dirname, 'workerd.mjs'), dir, entry, ...nodeCompat ? ['nodejs_compat'] : []],
  }
}
