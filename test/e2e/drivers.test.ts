import type { NitroBuild } from '../support/nitro'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createVisitor } from '../support/browser'
import { MAJORS } from '../support/majors'
import { buildNitro, startServer } from '../support/nitro'
import { buildNitro3 } from '../support/nitro3'

const fixtures = join(import.meta.dirname, '../fixtures')

/** A driver of an app's own. */
const OWN = `const items = new Map()
export default options => ({
  name: 'own',
  options,
  hasItem: key => items.has(key),
  getItem: key => items.get(key) ?? null,
  setItem: (key, value) => void items.set(key, value),
  removeItem: key => void items.delete(key),
  getKeys: () => [...items.keys()],
})
`

describe.each(MAJORS)('a build by $name with a driver', ({ name, fixture }) => {
  let project: string
  const buildWith = (session: object): Promise<NitroBuild> => {
    const folder = project.slice(fixtures.length + 1)
    return name === 'Nitro 3' ? buildNitro3(folder, { session } as never) : buildNitro(folder, { session })
  }
  const refusalOf = async (session: object): Promise<string> => {
    const error = await buildWith(session).then(built => built.remove().then(() => new Error('The build went through.')), (reason: Error) => reason)
    return error.message
  }

  beforeAll(async () => {
    project = await mkdtemp(join(fixtures, '.drivers-'))
    await cp(join(fixtures, fixture), project, { recursive: true, filter: source => !/\/\.(?:output|nitro|data)/.test(source) })
    for (const folder of ['drivers', 'node_modules/own-driver', 'node_modules/@scope/drivers'])
      await mkdir(join(project, folder), { recursive: true })
    for (const file of ['drivers/own.mjs', 'node_modules/own-driver/index.mjs', 'node_modules/@scope/drivers/own.mjs'])
      await writeFile(join(project, file), OWN)
    await writeFile(join(project, 'node_modules/own-driver/package.json'), JSON.stringify({ name: 'own-driver', type: 'module', exports: { import: './index.mjs' } }))
    await writeFile(join(project, 'node_modules/@scope/drivers/package.json'), JSON.stringify({ name: '@scope/drivers', type: 'module', exports: { './own': './own.mjs' } }))
  })
  afterAll(() => rm(project, { recursive: true, force: true }))

  it.each([
    ['rediss', 'redis'],
    ['Redis', 'redis'],
    ['ioredis', 'redis'],
    ['fs-lit', 'fs-lite'],
    ['mongo', 'mongodb'],
    ['memry', 'memory'],
    ['cloudflare-kv', 'cloudflare-kv-binding'],
    ['unstorage/drivers/rediss', 'redis'],
  ])('%s, which does not exist, is refused: did you mean %s?', async (driver, meant) => {
    const message = await refusalOf({ storage: { driver } })
    expect(message).toContain(`- storage.driver: There is no driver '${driver}'. Did you mean '${meant}'?`)
  })

  it.each(['postgres-of-mine', './drivers/nope', '/nowhere/driver.mjs', '~/drivers/nope', '@scope/nope', '@other/drivers/own', 'toString'])('%s, which does not exist, is refused with the names of all', async (driver) => {
    const message = await refusalOf({ storage: { driver } })
    expect(message).toContain(`There is no driver '${driver}'.`)
    expect(message).toMatch(/Unstorage has .*fs-lite.*memory.*redis/)
    expect(message).not.toContain('Did you mean')
  })

  it.each([
    ['mongodb', 'mongodb'],
    ['planetscale', '@planetscale/database'],
    ['upstash', '@upstash/redis'],
    ['s3', 'aws4fetch'],
    ['uploadthing', 'uploadthing'],
    ['netlify-blobs', '@netlify/blobs'],
    ['netlifyBlobs', '@netlify/blobs'],
    ['azure-storage-blob', '@azure/storage-blob'],
    ['unstorage/drivers/mongodb', 'mongodb'],
  ])('%s, whose client is not installed, is refused with the line that installs %s', async (driver, library) => {
    for (const [path, session] of [['storage', { storage: { driver } }], ['migrate.storage', { migrate: { from: 'express-session', storage: { driver } } }]] as const) {
      const message = await refusalOf(session)
      expect(message).toMatch(new RegExp(`- ${path.replace('.', '\\.')}\\.driver: The driver '${driver}' needs .*\`${library}\`.* not installed\\. Run \`npm install .*${library}\\b`))
    }
  })

  it.each([
    ['pnpm-lock.yaml', '', 'pnpm add mongodb'],
    ['yarn.lock', '', 'yarn add mongodb'],
    ['bun.lock', '', 'bun add mongodb'],
    ['deno.lock', '', 'deno add npm:mongodb'],
    ['package-lock.json', '', 'npm install mongodb'],
    ['package.json', '{ "packageManager": "yarn@4.9.0" }', 'yarn add mongodb'],
  ])('names the line of the package manager of %s', async (file, content, line) => {
    await writeFile(join(project, file), content)
    expect(await refusalOf({ storage: { driver: 'mongodb' } })).toContain(`Run \`${line}\`.`)
    await rm(join(project, file))
  })

  it.each(['./drivers/own', './drivers/own.mjs', '<project>/drivers/own', '<project>/drivers/own.mjs', 'own-driver', '@scope/drivers/own'])('of the app\'s own, %s, keeps its sessions there', async (driver) => {
    const built = await buildWith({ storage: { driver: driver.replace('<project>', project) } })
    const server = await startServer(built.entry)
    const visitor = createVisitor(server.url)
    await visitor.json('/visit')
    expect(await visitor.json('/visit')).toEqual({ visits: 2 })
    await server.stop()
    await built.remove()
  })

  it.each(['memory', 'fs', 'fs-lite', 'fsLite', 'lru-cache', 'redis', 'cloudflare-kv-binding', 'unstorage/drivers/memory'])('%s goes through', async (driver) => {
    const built = await buildWith({ storage: { driver } })
    expect(built.entry).toContain('index.mjs')
    await built.remove()
  })
})
