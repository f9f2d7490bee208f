import type { Random } from './support/random'
import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createSessionManager } from '../../src/core/session-manager'
import { resolveOptions } from '../../src/core/resolve-options'
import { App, MODES, NOON, OLD_SECRET, returning, SECRET } from './support/app'
import { silentExchange } from './support/exchange'
import { createRandom } from './support/random'

const COOKIES_PER_MODE = 34_000
const SEED = Number(process.env.SEED ?? 20_300_101)

const ALPHABET = Array.from({ length: 0x80 - 0x21 }, (_, n) => String.fromCharCode(0x21 + n)).filter(char => char !== ';')

type Mutation = (token: string, random: Random) => string

function splice(text: string, at: number, removed: number, inserted = ''): string {
  return text.slice(0, at) + inserted + text.slice(at + removed)
}

function randomText(random: Random, length: number): string {
  return Array.from({ length }, () => random.pick(ALPHABET)).join('')
}

const MUTATIONS: Record<string, Mutation> = {
  'a flipped bit': (token, random) => {
    const at = random.below(token.length)
    return splice(token, at, 1, String.fromCharCode(token.charCodeAt(at) ^ 1 << random.below(7)))
  },
  'two flipped bits': (token, random) => MUTATIONS['a flipped bit']!(MUTATIONS['a flipped bit']!(token, random), random),
  'a changed character': (token, random) => splice(token, random.below(token.length), 1, random.pick(ALPHABET)),
  'an inserted character': (token, random) => splice(token, random.below(token.length), 0, random.pick(ALPHABET)),
  'a removed character': (token, random) => splice(token, random.below(token.length), 1),
  'a truncation': (token, random) => token.slice(0, random.below(token.length)),
  'a beginning cut off': (token, random) => token.slice(1 + random.below(token.length)),
  'an end put on': (token, random) => token + randomText(random, 1 + random.below(10)),
  'halves swapped': (token, random) => {
    const at = 1 + random.below(token.length - 1)
    return token.slice(at) + token.slice(0, at)
  },
  'percent-encoding, twice': (token, random) => {
    const at = random.below(token.length)
    return splice(token, at, 1, `%25${token.charCodeAt(at).toString(16)}`)
  },
  'percent rubbish': (token, random) => splice(token, random.below(token.length), 0, random.pick(['%', '%%', '%zz', '%E0%A4%A', '%00'])),
  'random bytes': (_, random) => randomText(random, random.below(200)),
  'random base64url': (token, random) => Array.from(token, () => random.pick([...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'])).join(''),
  'a text of h3': (_, random) => `Fe26.2**${randomText(random, 64)}*${randomText(random, 22)}*${randomText(random, 90)}**${randomText(random, 64)}*${randomText(random, 43)}`,
  'a text of express': (_, random) => {
    const id = randomText(random, 32)
    return encodeURIComponent(`s:${id}.${createHmac('sha256', SECRET).update(id).digest('base64').replace(/=+$/, '')}`)
  },
  'a text of express, decoded': (_, random) => {
    const id = `abcdefghijklmnopqrst${1000 + random.below(9000)}`
    return `s:${id}.${createHmac('sha256', SECRET).update(id).digest('base64').replace(/=+$/, '')}`
  },
  'a JSON Web Token without signature': (_, random) => `eyJhbGciOiJub25lIn0.${Buffer.from(JSON.stringify({ id: random.below(1e9) })).toString('base64url')}.`,
  'one quote': (token, random) => random.below(2) ? `"${token}` : `${token}"`,
  'two pairs of quotes': token => `""${token}""`,
  'single quotes': token => `'${token}'`,
  'padding': (token, random) => token + '='.repeat(1 + random.below(3)),
  'another case': (token, random) => random.below(2) ? token.toUpperCase() : token.toLowerCase(),
  'itself twice': token => token + token,
  'the other alphabet': token => token.replace(/[-_+/]|$/, char => ({ '-': '+', '_': '/', '+': '-', '/': '_' })[char] ?? '-'),
  'latin letters': (token, random) => splice(token, random.below(token.length), 1, String.fromCharCode(0xA1 + random.below(0x5E))),
}

/** Costly to read, so there are fewer of them. */
const LARGE: Record<string, Mutation> = {
  '10 kB behind it': (token, random) => token + random.pick(ALPHABET).repeat(10_000),
  '10 kB instead': (_, random) => random.pick(ALPHABET).repeat(10_000),
  '10 kB inside it': (token, random) => splice(token, random.below(token.length), 0, 'A'.repeat(10_000)),
}

describe.each(MODES)('forged cookies in $mode', ({ options }) => {
  it(`are nobody, throw nothing and reach no storage: ${COOKIES_PER_MODE} of them`, async () => {
    const random = createRandom(SEED)
    const app = new App(options)
    const tokens = await Promise.all([1, 2, 3].map(async n => (await returning(app, { user: 'ada', n, flag: null })).token))
    const foreign = await Promise.all([
      app.redeploy({ ...options, secret: OLD_SECRET }),
      ...MODES.filter(other => other.options !== options).map(other => app.redeploy(other.options)),
    ].map(async other => (await returning(other)).token))
    const otherName = app.redeploy({ ...options, cookie: { name: 'cart' } })
    foreign.push(...await Promise.all([1, 2].map(async () => {
      const visitor = new Map<string, string>()
      const visit = otherName.manager.open({ ...silentExchange(undefined), setCookies: (name, lines) => visitor.set(name, lines[0] ?? '') })
      visit.handle.set('user', 'ada')
      await visit.commit()
      return /^cart=([^;]*)/.exec(visitor.get('cart') ?? '')?.[1] ?? ''
    })))
    expect(foreign.every(token => token.length > 20)).toBe(true)

    let reads = 0
    const store = { ...app.store, get: async (): Promise<unknown> => void reads++ }
    const manager = createSessionManager(resolveOptions({ secret: SECRET, ...options }, { isProduction: true }), { store, now: () => NOON })
    const mutations = Object.entries(MUTATIONS)
    const large = Object.entries(LARGE)
    const failures: object[] = []
    const judge = async (kind: string, token: string): Promise<void> => {
      try {
        const request = manager.open({ ...silentExchange(`session=${token}`), setCookies: () => failures.push({ SEED, kind, token, problem: 'sets a cookie' }) })
        if (request.isCarried)
          failures.push({ SEED, kind, token, problem: 'is accepted' })
        await request.load()
        if (request.exists)
          failures.push({ SEED, kind, token, problem: 'is a session' })
      }
      catch (error) {
        failures.push({ SEED, kind, token, problem: String(error) })
      }
    }

    for (const token of foreign)
      await judge('of another name, secret or mode', token)
    for (let n = foreign.length; n < COOKIES_PER_MODE; n++) {
      const [kind, mutate] = n % 50 === 0 ? random.pick(large) : random.pick(mutations)
      const token = mutate(random.pick([...tokens, ...(random.below(10) === 0 ? foreign : [])]), random)
      // Some mutations can leave a token as it was.
      await judge(kind, tokens.includes(token.trim()) ? `${token}x` : token)
    }
    expect({ failures: failures.slice(0, 5), reads }).toEqual({ failures: [], reads: 0 })
  })
})
