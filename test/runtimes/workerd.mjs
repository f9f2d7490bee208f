/**
 * Serves a built worker as Cloudflare would, with a KV namespace of its own:
 * `node workerd.mjs <folder of miniflare> <entry> [flags]`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'

const [folder, entry, ...flags] = process.argv.slice(2)
const { Miniflare } = createRequire(join(folder, 'package.json'))('miniflare')

const root = dirname(entry)
const files = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter(file => file.isFile() && /\.m?js$/.test(file.name))
  .map(file => join(file.parentPath, file.name))

const server = new Miniflare({
  host: '127.0.0.1',
  port: 0,
  // The first module is the entry.
  modules: [entry, ...files.filter(file => file !== entry)]
    .map(file => ({ type: 'ESModule', path: relative(root, file), contents: readFileSync(file, 'utf8') })),
  compatibilityDate: '2026-04-01',
  compatibilityFlags: flags.includes('nodejs_compat') ? flags : ['no_nodejs_compat', 'no_nodejs_compat_v2', ...flags],
  bindings: Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('NITRO_'))),
  kvNamespaces: ['SESSIONS'],
})

console.log(`Listening on ${(await server.ready).origin}`)
