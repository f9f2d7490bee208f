import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

/** A script of a build. */
export interface Script {
  name: string
  text: string
}

/** All scripts below a folder. */
export async function scriptsIn(dir: string): Promise<Script[]> {
  const names = (await readdir(dir, { recursive: true })).filter(name => /\.[cm]?js$/.test(name))
  return Promise.all(names.map(async name => ({ name, text: await readFile(join(dir, name), 'utf8') })))
}

/** The bytes of scripts, each compressed for itself. */
export function gzippedSize(scripts: readonly Script[]): number {
  return scripts.reduce((sum, { text }) => sum + gzipSync(text, { level: 9 }).length, 0)
}
