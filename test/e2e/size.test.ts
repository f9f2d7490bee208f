import type { NitroBuild } from '../support/nitro'
import type { Script } from '../support/scripts'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildNitro } from '../support/nitro'
import { buildNuxt } from '../support/nuxt'
import { gzippedSize, scriptsIn } from '../support/scripts'

const KILOBYTE = 1000

/** A word that only the code for the browser has, and that no minifier changes. */
const BROWSER_WORD = 'BroadcastChannel'
/** The same for code that is in every server. */
const SERVER_WORD = 'NITRO_SESSION_SECRET'
/** The same for the development page: where it is. */
const DEVELOPMENT_WORD = '__unsession__'

/** All scripts that a build has for browsers. */
async function browserScripts(fixture: string): Promise<Script[]> {
  return scriptsIn(join(await buildNuxt(fixture), '../../public/_nuxt'))
}

/**
 * Two production builds of one small app: in one its component uses both composables, in the
 * other two plain refs take their place. The difference is all that a browser gets because of
 * us: our code, with the plugin that Nuxt adds to every page, what else of Vue and Nuxt it needs
 * that an app without us would leave out, and what each import costs.
 */
describe('what browsers get', () => {
  let withUs: Script[]
  let withoutUs: Script[]
  beforeAll(async () => {
    withUs = await browserScripts('nuxt-size/with')
    withoutUs = await browserScripts('nuxt-size/without')
  })

  it('is less than 3.4 kB, gzipped', () => {
    const difference = gzippedSize(withUs) - gzippedSize(withoutUs)
    console.info(`The client code of this package: ${difference} bytes, gzipped.`)
    // Nothing at all would mean that the build had left us out.
    expect(difference).toBeGreaterThan(KILOBYTE)
    expect(difference).toBeLessThan(3.4 * KILOBYTE)
  })

  it('is there in the one app, and not in the other', () => {
    const holders = (scripts: Script[]): Script[] => scripts.filter(({ text }) => text.includes(BROWSER_WORD))
    expect([holders(withUs).length, holders(withoutUs).length]).toEqual([1, 0])
  })

  it('is shown by a server that holds nothing of the development page', async () => {
    const scripts = await scriptsIn(join(await buildNuxt('nuxt-size/with'), '..'))
    expect(scripts.filter(({ text }) => text.includes(SERVER_WORD))).not.toEqual([])
    expect(scripts.filter(({ text }) => text.includes(DEVELOPMENT_WORD)).map(({ name }) => name)).toEqual([])
  })

  it('holds nothing of the server', () => {
    expect(withUs.filter(({ text }) => /node:crypto|NITRO_SESSION|unstorage|nanoid/.test(text))).toEqual([])
  })
})

describe('what a plain Nitro server gets', () => {
  let built: NitroBuild
  let scripts: Script[]
  beforeAll(async () => {
    built = await buildNitro('nitro-bare')
    scripts = await scriptsIn(join(built.outputDir, 'server'))
  })
  afterAll(() => built?.remove())
  const holding = (word: string): string[] => scripts.filter(({ text }) => text.includes(word)).map(({ name }) => name)

  it('holds our server code', () => {
    expect(holding(SERVER_WORD)).not.toEqual([])
  })

  it('holds no code for pages', () => {
    expect(holding(BROWSER_WORD)).toEqual([])
    expect(holding('/runtime/app/')).toEqual([])
    expect(holding('/routes/session')).toEqual([])
  })

  it('holds nothing of Vue and Nuxt', () => {
    expect(scripts.filter(({ name }) => /(?:^|\/)node_modules\/(?:@?vue|@?nuxt)/.test(name)).map(({ name }) => name)).toEqual([])
    expect(scripts.filter(({ text }) => /(?:from|import\(?)\s*["'](?:@?vue|@?nuxt)[/"']/.test(text)).map(({ name }) => name)).toEqual([])
  })
})
