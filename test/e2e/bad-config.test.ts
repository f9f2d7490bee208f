import type { NitroConfig } from 'nitropack/types'
import { loadNuxt } from 'nuxt/kit'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MAJORS } from '../support/majors'
import { buildNitro, runToEnd, TEST_SECRET } from '../support/nitro'
import { buildNitro3 } from '../support/nitro3'

const fixtures = join(import.meta.dirname, '../fixtures')

/** The paths that the message of a refused config names, in their order. */
function pathsIn(message: string): string[] {
  return [...message.matchAll(/^ {2}- (.+?): /gm)].map(match => match[1]!)
}

/** What the build says of a config that it refuses. */
async function refusal(building: Promise<{ remove(): Promise<void> }>): Promise<string> {
  const error = await building.then(async (built) => {
    await built.remove()
    return new Error('The build went through.')
  }, (reason: unknown) => reason as Error)
  return error.message
}

/** Each value by the path that is refused, and how the environment gives the same. */
const BAD_VALUES: [path: string, session: object, env?: Record<string, string>][] = [
  ['mode', { mode: 'db' }, { MODE: 'db' }],
  ['mode', { mode: true }, { MODE: 'true' }],
  ['maxAge', { maxAge: '3d' }, { MAX_AGE: '3d' }],
  ['maxAge', { maxAge: 0 }, { MAX_AGE: '0' }],
  ['maxAge', { maxAge: 1.5 }, { MAX_AGE: '1.5' }],
  ['idleTimeout', { idleTimeout: -1 }, { IDLE_TIMEOUT: '-1' }],
  ['idleTimeout', { idleTimeout: '30m' }, { IDLE_TIMEOUT: '30m' }],
  ['timeout', { timeout: '5s' }, { TIMEOUT: '5s' }],
  ['timeout', { timeout: 0 }, { TIMEOUT: '0' }],
  ['encrypt', { encrypt: 'yes' }, { ENCRYPT: 'yes' }],
  ['saveUninitialized', { saveUninitialized: 1 }, { SAVE_UNINITIALIZED: '1' }],
  ['expose', { expose: 'user' }, { EXPOSE: 'user' }],
  ['expose', { expose: ['user', 1] }, { EXPOSE: '["user",1]' }],
  ['autoload', { autoload: 'off' }, { AUTOLOAD: 'off' }],
  ['storage', { storage: 5 }, { STORAGE: '5' }],
  ['storage', { storage: true }, { STORAGE: 'true' }],
  ['storage', { storage: ['redis'] }],
  ['storage.driver', { storage: {} }],
  ['storage.driver', { storage: { url: 'redis://127.0.0.1' } }],
  ['storage.driver', { storage: { driver: 5 } }],
  ['secret', { secret: 'short' }, { SECRET: 'short' }],
  ['secret', { secret: 'a'.repeat(40) }, { SECRET: 'a'.repeat(40) }],
  ['secret', { secret: 1234 }, { SECRET: '1234' }],
  ['secret[1]', { secret: [TEST_SECRET, 'short'] }, { SECRET: JSON.stringify([TEST_SECRET, 'short']) }],
  ['cookie', { cookie: 'sid' }, { COOKIE: 'sid' }],
  ['cookie', { cookie: ['sid'] }],
  ['cookie.name', { cookie: { name: 'a b' } }, { COOKIE_NAME: 'a b' }],
  ['cookie.name', { cookie: { name: '__Host-id', secure: false } }, { COOKIE_NAME: '__Host-id', COOKIE_SECURE: 'false' }],
  ['cookie.path', { cookie: { path: 'app' } }, { COOKIE_PATH: 'app' }],
  ['cookie.path', { cookie: { name: '__Host-id', path: '/app' } }, { COOKIE_NAME: '__Host-id', COOKIE_PATH: '/app' }],
  ['cookie.domain', { cookie: { domain: 'https://example.com' } }, { COOKIE_DOMAIN: 'https://example.com' }],
  ['cookie.domain', { cookie: { name: '__Host-id', domain: 'example.com' } }, { COOKIE_NAME: '__Host-id', COOKIE_DOMAIN: 'example.com' }],
  ['cookie.httpOnly', { cookie: { httpOnly: 'no' } }, { COOKIE_HTTP_ONLY: 'no' }],
  ['cookie.secure', { cookie: { secure: 'maybe' } }, { COOKIE_SECURE: 'maybe' }],
  ['cookie.sameSite', { cookie: { sameSite: 'Lax' } }, { COOKIE_SAME_SITE: 'Lax' }],
  ['cookie.sameSite', { cookie: { sameSite: 'none', secure: false } }, { COOKIE_SAME_SITE: 'none', COOKIE_SECURE: 'false' }],
  ['cookie.partitioned', { cookie: { partitioned: true, secure: false } }, { COOKIE_PARTITIONED: 'true', COOKIE_SECURE: 'false' }],
  ['cookie.priority', { cookie: { priority: 'urgent' } }, { COOKIE_PRIORITY: 'urgent' }],
  ['migrate', { migrate: 'h3' }],
  ['migrate', { migrate: true }],
  ['migrate.from', { migrate: {} }],
  ['migrate.from', { migrate: { from: 'koa-session' } }],
  ['migrate.password', { migrate: { from: 'h3', password: 'short' } }],
  ['migrate.maxAge', { migrate: { from: 'h3', maxAge: '7d' } }],
  ['migrate.idleTimeout', { migrate: { from: 'h3', idleTimeout: -1 } }],
  ['migrate.cookie', { migrate: { from: 'h3', cookie: 'h3' } }],
  ['migrate.cookie.name', { migrate: { from: 'h3', cookie: { name: 'a b' } } }],
  ['migrate.password', { migrate: { from: 'iron-session', password: { 1: 'short' } } }],
  ['migrate.password', { migrate: { from: 'iron-session', password: ['a password of the other package, long enough'] } }],
  ['migrate.cookie.name', { migrate: { from: 'iron-session', cookie: { name: 'a b' } } }],
  ['migrate.ttl', { migrate: { from: 'iron-session', ttl: 60 } }],
  ['migrate.secret', { migrate: { from: 'cookie-session', secret: ['a key', 5] } }],
  ['migrate.keys', { migrate: { from: 'cookie-session', keys: ['a key'] } }],
  ['migrate.maxAge', { migrate: { from: 'cookie-session', maxAge: 60 } }],
  ['migrate.secret', { migrate: { from: 'express-session', secret: 5 } }],
  ['migrate.storage', { migrate: { from: 'express-session', storage: 5 } }],
  ['migrate.storage.driver', { migrate: { from: 'express-session', storage: {} } }],
  ['autoImports', { autoImports: 'yes' }],
]

/** Given by the environment, or not needed. */
const GOOD: NitroConfig['session'][] = [
  {},
  { secret: '', maxAge: '' as never, cookie: { name: '', domain: '', path: '' }, mode: '' as never, storage: '' },
  { secret: undefined, storage: undefined, migrate: undefined, cookie: undefined },
  { migrate: { from: 'h3', password: '', cookie: { name: '' } } },
  { mode: 'cookie', migrate: { from: 'express-session', storage: '' } },
  { migrate: { from: 'iron-session', password: '', cookie: { name: '' } } },
  { migrate: { from: 'iron-session', password: { 1: '', 2: '' } } },
  { migrate: { from: 'cookie-session', secret: '' } },
  { cookie: { sameSite: 'none' } },
  { cookie: { name: '__Host-id', partitioned: true } },
  { autoImports: false },
]

describe.each(MAJORS)('a build by $name', ({ build, fixture }) => {
  const buildWith = (config: object): Promise<{ remove(): Promise<void> }> =>
    fixture.startsWith('nitro3') ? buildNitro3(fixture, config) : buildNitro(fixture, config)

  it.each(BAD_VALUES)('refuses %s: %j', async (path, session) => {
    const message = await refusal(build({ session: session as NitroConfig['session'] }))
    expect(pathsIn(message)).toEqual([path])
  })

  it.each(BAD_VALUES)('refuses %s: %j in runtimeConfig', async (path, { autoImports, ...session }: { autoImports?: unknown }) => {
    const message = await refusal(buildWith({ runtimeConfig: { session: autoImports ? { autoImports } : session } }))
    expect(pathsIn(message)).toEqual([autoImports ? `runtimeConfig.session.${path}` : path])
  })

  it('names every problem of every kind in one list, and the config file', async () => {
    const session = {
      mode: 'db', maxage: 60, maxAge: '3d', expose: 'user', secret: 'short', cookieName: 'sid', cookie: { samesite: 'lax', sameSite: 'none', secure: false },
      storage: { driver: 'rediss' }, migrate: { from: 'h3', passwrd: '', maxAge: -1 }, autoImports: 'no',
    }
    const message = await refusal(buildWith({ session, routeRules: { '/a': { session: 'off' } } }))
    expect(message.split('\n')[0]).toBe('unsession: the session options in nitro.config.ts are not valid.')
    expect(pathsIn(message).sort()).toEqual(['autoImports', 'cookie.sameSite', 'cookie.samesite', 'cookieName', 'expose', 'maxAge', 'maxage', 'migrate.maxAge', 'migrate.passwrd', 'mode', 'routeRules[\'/a\'].session', 'secret', 'storage.driver'])
    expect(message).toContain('- maxage: There is no such option. Did you mean `maxAge`?')
    expect(message).toContain('- migrate.passwrd: There is no such option. Did you mean `migrate.password`?')
    expect(message).not.toContain('short')
  })

  it('finds what is wrong in both keys', async () => {
    const message = await refusal(buildWith({ session: { maxAge: '3d', cookie: { nme: 'x' } }, runtimeConfig: { session: { modee: 'x', timeout: 'x', cookie: { pathh: '/' } } } }))
    expect(pathsIn(message).sort()).toEqual(['cookie.nme', 'cookie.pathh', 'maxAge', 'modee', 'timeout'])
  })

  it.each<[object, string]>([
    [{ session: 'off' }, 'session'],
    [{ session: ['redis'] }, 'session'],
    [{ session: true }, 'session'],
    [{ runtimeConfig: { session: 'off' } }, 'runtimeConfig.session'],
  ])('refuses %j', async (config, path) => {
    expect(pathsIn(await refusal(buildWith(config)))).toEqual([path])
  })

  it.each<[unknown, string, string]>([
    ['off', '', 'Use true or false.'],
    [0, '', 'Use true or false.'],
    [{ autolod: false }, '.autolod', 'Did you mean `routeRules[\'/x/**\'].session.autoload`?'],
    [{ autoload: 'no' }, '.autoload', 'Use true or false.'],
  ])('refuses the route rule session: %j', async (session, path, remedy) => {
    const message = await refusal(buildWith({ routeRules: { '/ok': { session: false }, '/x/**': { session } } }))
    expect(pathsIn(message)).toEqual([`routeRules['/x/**'].session${path}`])
    expect(message).toContain(remedy)
  })

  it.each(GOOD.map(session => [session]))('goes through with %j', async (session) => {
    const built = await build({ session })
    expect(built.entry).toContain('index.mjs')
    await built.remove()
  })

  it('leaves to the environment what it is told to fill in', async () => {
    const session = { secret: '{{APP_SECRET}}', cookie: { domain: '{{APP_DOMAIN}}' } }
    const built = await buildWith({ session, experimental: { envExpansion: true } })
    await built.remove()
    expect(pathsIn(await refusal(buildWith({ session })))).toEqual(['secret', 'cookie.domain'])
  })

  describe('and the start of its server', () => {
    let entry: string
    let remove: () => Promise<void>
    beforeAll(async () => {
      const built = await build()
      entry = built.entry
      remove = () => built.remove()
    })
    afterAll(() => remove?.())

    it.each(BAD_VALUES.filter(([, , env]) => env).map(([path, , env]) => [path, env!] as const))('refuse %s alike: %j', async (path, env) => {
      const given = Object.fromEntries(Object.entries(env).map(([name, value]) => [`NITRO_SESSION_${name}`, value]))
      const { code, output } = await runToEnd(entry, { NITRO_SESSION_SECRET: TEST_SECRET, ...given })
      expect(code).not.toBe(0)
      expect(pathsIn(output)).toEqual([path])
    })
  })
})

describe('the message', () => {
  let project: string
  beforeAll(async () => {
    project = await mkdtemp(join(fixtures, '.config-'))
    await cp(join(fixtures, 'nitro-bare/routes'), join(project, 'routes'), { recursive: true })
    await mkdir(join(project, 'base'))
    await writeFile(join(project, 'nitro.config.mjs'), 'export default { compatibilityDate: \'2026-11-01\', modules: [\'unsession\'], extends: \'./base\' }')
    await writeFile(join(project, 'base/nitro.config.ts'), 'export default { session: { maxage: 60, maxAge: \'3d\' } }')
  })
  afterAll(() => rm(project, { recursive: true, force: true }))

  it('names the file of the layer that holds the options', async () => {
    const message = await refusal(buildNitro(project.slice(fixtures.length + 1)))
    expect(message).toContain('the session options in base/nitro.config.ts are not valid.')
    expect(pathsIn(message)).toEqual(['maxage', 'maxAge'])
  })

  it('names both files where both hold options', async () => {
    const message = await refusal(buildNitro(project.slice(fixtures.length + 1), { runtimeConfig: { session: { mode: 'db' } } } as NitroConfig))
    expect(message).toContain('base/nitro.config.ts')
    expect(pathsIn(message)).toEqual(['maxage', 'mode', 'maxAge'])
  })
})

describe('Nuxt', () => {
  let project: string
  beforeAll(async () => {
    project = await mkdtemp(join(fixtures, '.nuxt-config-'))
    await writeFile(join(project, 'package.json'), '{ "type": "module" }')
  })
  afterAll(() => rm(project, { recursive: true, force: true }))

  /** What `nuxt dev`, `nuxt build` and `nuxt prepare` say of the project. */
  async function nuxtRefusal(files: Record<string, string>, overrides: object = {}): Promise<string> {
    const folder = await mkdtemp(join(project, 'app-'))
    for (const [file, code] of Object.entries(files)) {
      await mkdir(join(folder, file, '..'), { recursive: true })
      await writeFile(join(folder, file), code)
    }
    const error = await loadNuxt({ cwd: folder, overrides: { logLevel: 'silent', telemetry: false, ...overrides } as never })
      .then(nuxt => nuxt.close().then(() => new Error('Nuxt went through.')), (reason: Error) => reason)
    return error.message
  }

  const config = (rest: string): string => `export default { compatibilityDate: '2026-11-01', modules: ['unsession'], devtools: { enabled: false }, ${rest} }`

  it.each([[{}], [{ dev: true }], [{ _prepare: true }]])('names all problems and nuxt.config.ts (%j)', async (overrides) => {
    const message = await nuxtRefusal({ 'nuxt.config.ts': config('session: { mode: \'db\', maxage: 60, maxAge: \'3d\', expose: \'user\', storage: { driver: \'rediss\' } }, runtimeConfig: { session: { timeout: \'5s\' } }') }, overrides)
    expect(message.split('\n')[0]).toBe('unsession: the session options in nuxt.config.ts are not valid.')
    expect(pathsIn(message).sort()).toEqual(['expose', 'maxAge', 'maxage', 'mode', 'storage.driver', 'timeout'])
  })

  it('names the config file as it is called', async () => {
    expect(await nuxtRefusal({ 'nuxt.config.mjs': config('runtimeConfig: { session: { mode: \'db\' } }') })).toContain('the session options in nuxt.config.mjs are not valid.')
  })

  it('names the files of layers', async () => {
    const layer = 'export default { session: { maxAge: \'3d\' } }'
    expect(await nuxtRefusal({ 'nuxt.config.ts': config('extends: [\'./base\']'), 'base/nuxt.config.ts': layer })).toContain('the session options in base/nuxt.config.ts are not valid.')
    expect(await nuxtRefusal({ 'nuxt.config.ts': config('session: { timeout: 0 }'), 'layers/base/nuxt.config.ts': layer })).toMatch(/the session options in nuxt\.config\.ts and layers\/base\/nuxt\.config\.ts are not valid\.\n {2}- maxAge: .*\n {2}- timeout: /)
  })

  it('finds options beside the module\'s name', async () => {
    const code = config('').replace('modules: [\'unsession\']', 'modules: [[\'unsession\', { nme: 1 }]]')
    expect(pathsIn(await nuxtRefusal({ 'nuxt.config.ts': code }))).toEqual(['nme'])
  })

  it.each(['\'off\'', '[\'redis\']', '5'])('refuses session: %s', async (session) => {
    expect(pathsIn(await nuxtRefusal({ 'nuxt.config.ts': config(`session: ${session}`) }))).toEqual(['session'])
  })

  it('has nothing against good options', async () => {
    expect(await nuxtRefusal({ 'nuxt.config.ts': config('session: { maxAge: 60, secret: \'\', cookie: { sameSite: \'none\' } }') }, { dev: true })).toBe('Nuxt went through.')
  })
})
