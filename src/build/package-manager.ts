import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The lock files that tell package managers apart, and how each adds packages. */
const MANAGERS = [
  { name: 'pnpm', locks: ['pnpm-lock.yaml', 'pnpm-workspace.yaml'], add: 'pnpm add' },
  { name: 'yarn', locks: ['yarn.lock'], add: 'yarn add' },
  { name: 'bun', locks: ['bun.lock', 'bun.lockb'], add: 'bun add' },
  { name: 'deno', locks: ['deno.lock'], add: 'deno add' },
  { name: 'npm', locks: ['package-lock.json', 'npm-shrinkwrap.json'], add: 'npm install' },
] as const

type Manager = typeof MANAGERS[number]

/** The line that adds packages to a project, by the package manager that it or its workspace uses. */
export function installLine(rootDir: string, packages: readonly string[]): string {
  const { name, add } = managerOf(rootDir) ?? MANAGERS[4]
  return [add, ...packages.map(each => name === 'deno' ? `npm:${each}` : each)].join(' ')
}

function managerOf(dir: string): Manager | undefined {
  const declared = declaredIn(join(dir, 'package.json'))
  const found = MANAGERS.find(({ name }) => name === declared) ?? MANAGERS.find(({ locks }) => locks.some(lock => existsSync(join(dir, lock))))
  const parent = dirname(dir)
  return found ?? (parent === dir ? undefined : managerOf(parent))
}

/** For example `pnpm` of `"packageManager": "pnpm@10.0.0"`. */
function declaredIn(path: string): string | undefined {
  try {
    const { packageManager } = JSON.parse(readFileSync(path, 'utf8')) as { packageManager?: unknown }
    return String(packageManager).split('@')[0]
  }
  catch {
    return undefined
  }
}
