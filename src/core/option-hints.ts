/**
 * The options of this package by the names that other packages give them: express-session,
 * cookie-session, koa-session, iron-session, h3, nuxt-auth-utils, `@fastify/session`,
 * `@fastify/secure-session`, `@hono/session`, hono-sessions, `@davaux/session`,
 * `@analog-tools/session`, and frameworks with sessions of their own. Where a name stands for
 * several options, the first that the host has is meant.
 */
const NAMES_ELSEWHERE: Readonly<Record<string, string>> = {
  'cookie.name': 'name sessionName sessionCookieName sessionCookie cookieKey sid',
  'cookie': 'cookieOptions cookieOpts cookieAttributes',
  'secret': 'password passwords secrets keys key encryptionKey signingKey signingSecret sessionSecret sessionPassword cookieSecret authSecret appKey',
  'password': 'secret secrets key keys',
  'maxAge': 'ttl expires expire expiry expiresIn expireAfter expireAfterSeconds expiryInSeconds lifetime sessionLifetime sessionMaxAge cookieMaxAge maxAgeSeconds age duration absolute absoluteTimeout',
  'idleTimeout': 'rolling idle updateAge sessionTimeout inactivity inactivityTimeout touchAfter renew autoExtendExpiration sliding slidingExpiration',
  'storage': 'store sessionStore driver storageOptions',
  'store': 'storage sessionStorage driver storageOptions',
  'saveUninitialized': 'createEmpty',
  'encrypt': 'encryption encrypted',
}

const BUILT_IN = 'Leave it out: the cookie is always signed, and how it is signed or encrypted is no option.'
const RANDOM_IDS = 'Leave it out: an id is always made of 144 random bits.'
const ONE_COOKIE = 'Leave it out: the cookie is set on the response of the event, once.'
const OWN_END = 'Leave it out: the session of the other package says itself when it ends, if it does.'
const DRIVER_BASE = 'Give the storage driver a `base`.'

/** What takes the place of options that have no counterpart here. */
const NOT_NEEDED: Readonly<Record<string, string>> = {
  resave: 'Leave it out: a session is stored when it has changed.',
  autoCommit: 'Leave it out: changes are stored before the response begins.',
  proxy: 'Leave it out: the protocol of the request is not looked at.',
  unset: 'Leave it out: `destroySession` ends a session.',
  genid: RANDOM_IDS,
  idGenerator: RANDOM_IDS,
  generateId: RANDOM_IDS,
  generateSessionToken: RANDOM_IDS,
  idLength: RANDOM_IDS,
  sessionHeader: 'Leave it out: a session comes with its cookie only.',
  seal: BUILT_IN,
  legacySealFallback: BUILT_IN,
  crypto: BUILT_IN,
  algorithm: BUILT_IN,
  salt: BUILT_IN,
  signed: BUILT_IN,
  encode: BUILT_IN,
  decode: BUILT_IN,
  cookiePrefix: BUILT_IN,
  overwrite: ONE_COOKIE,
  getCookie: ONE_COOKIE,
  setCookie: ONE_COOKIE,
  deleteCookie: ONE_COOKIE,
  // Where `maxAge` is no option: below `migrate`.
  maxAge: OWN_END,
  ttl: OWN_END,
  originalMaxAge: 'Leave it out: `maxAge` says it.',
  chunkMaxLength: 'Leave it out: the data of a session is in one cookie. For more than fits into it use `mode: \'storage\'`.',
  prefix: DRIVER_BASE,
  keyPrefix: DRIVER_BASE,
  storePrefix: DRIVER_BASE,
  generate: 'Give first data in a hook `session:created`, by `session.set`.',
  expose: 'Leave it out: it is for pages of Nuxt.',
  autoload: 'Leave it out: `sessionMiddleware` loads the session.',
  autoImports: 'Leave it out: it is for the config of Nitro.',
}

/** Names as they are compared: `same_site`, `SameSite` and `same-site` are one. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z\d]/g, '')
}

const TARGETS = Object.entries(NAMES_ELSEWHERE).flatMap(([target, names]) => names.split(' ').map(name => [plain(name), target] as const))
const SENTENCES = new Map(Object.entries(NOT_NEEDED).map(([name, sentence]) => [plain(name), sentence]))

/**
 * A sentence about an option that does not exist, or `undefined` when nobody can guess what was meant.
 *
 * @param known the paths of all options there are
 * @param prefix what both are below
 */
export function hintFor(path: string, known: readonly string[], prefix = ''): string | undefined {
  const spelled = known.find(option => plain(option) === plain(path))
  if (spelled)
    return `Did you mean \`${prefix}${spelled}\`?`
  const name = plain(lastOf(path))
  const target = known.find(option => plain(lastOf(option)) === name) ?? TARGETS.find(([other, target]) => other === name && known.includes(target))?.[1]
  if (target)
    return `Use \`${prefix}${target}\`${/^(?:maxAge|idleTimeout)$/.test(target) ? ', in seconds' : ''}.`
  const sentence = SENTENCES.get(name)
  if (sentence)
    return sentence
  const isBeside = (option: string): boolean => groupOf(option) === groupOf(path)
  const candidates = [
    // Of two that are as near, the first is meant.
    ...[...known.filter(isBeside), ...known.filter(option => !isBeside(option))].map(option => [plain(lastOf(option)), option] as const),
    ...TARGETS.filter(([, target]) => known.includes(target)),
  ]
  const near = nearest(name, candidates.map(([candidate]) => candidate))
  return near && `Did you mean \`${prefix}${candidates.find(([candidate]) => candidate === near)![1]}\`?`
}

/** The candidate that a misspelled name is nearest to, the first of several, if there is one near enough. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.min(3, Math.floor(name.length / 3)))
  let found: string | undefined
  let least = limit + 1
  for (const candidate of candidates.filter(({ length }) => Math.abs(length - name.length) <= limit)) {
    const distance = distanceBetween(name, candidate)
    if (distance < least) {
      least = distance
      found = candidate
    }
  }
  return found
}

/** How many letters were added, left out, changed or swapped with the next (optimal string alignment). */
function distanceBetween(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1]
      const isSwapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current[column] = Math.min(
        last[column]! + 1,
        current[column - 1]! + 1,
        last[column - 1]! + (isSame ? 0 : 1),
        isSwapped ? beforeLast[column - 2]! + 1 : Number.POSITIVE_INFINITY,
      )
    }
    beforeLast = last
    last = current
  }
  return last[b.length]!
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1)
}

function groupOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.')))
}
