import type { SessionMigration } from '../core/migration/migration'
import type { CoreSessionOptions, ResolvedSessionOptions } from '../core/options'
import type { Manager } from '../core/manager'
import type { SessionObserver } from '../core/ports'
import type { DefaultData, SessionPatch } from '../core/types'
import type { GivenStore } from '../http/given-store'
import type { Managers } from '../http/managers'
import { rememberCallers } from '../core/calls/caller'
import { explainWrites } from '../core/session/explain-writes'
import { OPTIONS } from '../core/options'
import { unknownOptions } from '../core/option-names'
import { configError, issue, resolveOptions } from '../core/resolve-options'
import { createMigrator } from '../core/migration/old-cookie'
import { guardMigration } from '../core/migration/own'
import { definedOf } from '../core/record/value'
import { sweep } from '../core/storage/sweep'
import { startCleanupTimer } from '../http/cleanup-timer'
import { warnOfForeignCookie } from '../http/foreign-cookie'
import { checkStore, nameOf, numberOf, openStore, placeOf, whenMade } from '../http/given-store'
import { CALL, createManagers } from '../http/managers'

/** The options of an app without Nitro. */
export interface PlainSessionOptions<T extends object = DefaultData> extends Omit<CoreSessionOptions, 'expose'> {
  /** Another spelling of `cookie.name`. */
  name?: string | undefined
  /**
   * Where storage mode keeps the records: what `createUnstorageStore` gives, awaited or not, a
   * storage of unstorage, also one with a prefix, or a store of your own.
   */
  store?: GivenStore | undefined
  /** Makes the first data of a visitor without a session, who then has one. */
  generate?: (() => SessionPatch<T>) | undefined
  /** Lets visitors of another package in: what `fromExpressSession` and the others give, or a migration of your own. */
  migrate?: SessionMigration | undefined
}

/** What the requests of an app share. */
export interface PlainApp {
  readonly options: PlainSessionOptions
  readonly managers: Managers
  /** In development. */
  readonly observer: SessionObserver | undefined
  /** Removes expired records from now on, where storage does not do it by itself: once for each place. */
  startCleanup(): void
  endCleanup(): void
}

/** The options by name. */
const KNOWN = { ...OPTIONS, store: '', generate: '', migrate: '' }

const byOptions = new WeakMap<object, PlainApp>()
/** Handlers may write their options anew for every request: by place, migration and all that is text. Those used last are at the end. */
const apps = new Map<string, PlainApp>()
/** Options come from code; should a request make them up, as by its host, memory stays bounded. */
const MAX_APPS = 500

/** What ends the timers that clean up, by place. */
const timers = new Map<string, () => void>()

/**
 * What requests with these options share, made once.
 *
 * @throws SessionError `CONFIG_ERROR`
 */
export function plainAppOf(options: PlainSessionOptions): PlainApp {
  if (typeof options !== 'object' || options === null)
    throw configError([issue('options', options, 'Pass an object, such as `{ secret, store }`.')])
  const known = byOptions.get(options)
  if (known)
    return known
  const app = findEqual(withCookieName(options))
  byOptions.set(options, app)
  return app
}

/** The manager of an app, or of options of its own when these are complete or name another store. */
export function managerOf({ managers, options }: PlainApp, given?: PlainSessionOptions): Manager {
  const own = given && withCookieName(given)
  const { secret, store } = own ?? {}
  if (!own || (secret === undefined && (store === undefined || store === options.store)))
    return managers.get(own)
  const app = plainAppOf(secret === undefined ? layOver(options, own) : given)
  app.startCleanup()
  return app.managers.get()
}

function layOver(options: PlainSessionOptions, own: PlainSessionOptions): PlainSessionOptions {
  return { ...options, ...definedOf(own), cookie: { ...options.cookie, ...definedOf(own.cookie ?? {}) }, migrate: own.migrate }
}

/** The options with the cookie's name in one place; where two are given, both stay to be refused. */
function withCookieName(options: PlainSessionOptions): PlainSessionOptions {
  if (!options.name)
    return options
  const { name, ...others } = options
  const cookie = others.cookie ?? {}
  const isGroup = typeof cookie === 'object' && !Array.isArray(cookie)
  return isGroup && (cookie.name ?? name) === name ? { ...others, cookie: { ...cookie, name } } : options
}

function findEqual({ store, generate, migrate, ...texts }: PlainSessionOptions): PlainApp {
  const key = JSON.stringify([nameOf(store), numberOf(migrate), texts])
  const app = apps.get(key) ?? createPlainApp({ ...texts, store, generate, migrate })
  apps.delete(key)
  apps.set(key, app)
  if (apps.size > MAX_APPS)
    forget(apps.keys().next().value!)
  return app
}

function forget(key: string): void {
  apps.get(key)!.endCleanup()
  apps.delete(key)
}

function createPlainApp(options: PlainSessionOptions): PlainApp {
  if (!isProduction()) {
    rememberCallers()
    explainWrites()
  }
  const { store, migrate } = options
  const managers = createManagers(options, {
    resolve,
    createMigration: () => migrate && createMigrator(guardMigration(migrate)),
    createStore: ({ timeout }) => store && openStore(store, timeout),
  })
  const { store: records } = managers.get()
  let place: string | undefined
  let end: (() => void) | undefined
  let isEnded = false
  return {
    options,
    managers,
    observer: readEnvironment() === 'development' ? FOREIGN_COOKIES : undefined,
    startCleanup() {
      if (records?.keys === undefined)
        return
      isEnded = false
      const making = whenMade(store)
      if (making)
        return void making.then(() => isEnded || this.startCleanup(), () => {})
      place ??= placeOf(store)
      if (timers.has(place))
        return
      end = startCleanupTimer(() => sweep(records), error => console.error('[unsession]', error))
      timers.set(place, end)
    },
    endCleanup() {
      isEnded = true
      if (end && place !== undefined && timers.get(place) === end)
        timers.delete(place)
      end?.()
    },
  }
}

function resolve({ name, store, generate, migrate, ...options }: PlainSessionOptions, overrides?: object): ResolvedSessionOptions {
  return resolveOptions(options, {
    isProduction: isProduction(),
    subject: overrides && CALL,
    issues: [
      ...unknownOptions(options, KNOWN),
      ...(options.mode === 'cookie' ? [] : checkStore(store)),
      ...(!name || !options.cookie?.name ? [] : [{ path: 'name', problem: 'It is not the same as `cookie.name`.', remedy: 'Leave one of the two out: both name the cookie.' }]),
      ...(migrate === undefined || isMigration(migrate) ? [] : [issue('migrate', migrate, 'Pass what `fromExpressSession`, `fromH3Session`, `fromIronSession` or `fromCookieSession` gives, or `{ cookie: { name }, recognize }`.')]),
      ...(['function', 'undefined'].includes(typeof generate) ? [] : [issue('generate', generate, 'Use a function that returns the first data.')]),
    ],
  })
}

/** True for what can be asked; a promise or `null` cannot. */
function isMigration(value: unknown): boolean {
  const { cookie, recognize } = Object(value) as Partial<SessionMigration>
  return typeof recognize === 'function' && typeof cookie?.name === 'string' && cookie.name !== ''
}

/** Browsers keep `Secure` cookies of https only: whatever is not said to be development has to be safe. */
function isProduction(): boolean {
  return !/^(?:development|test)$/.test(readEnvironment())
}

function readEnvironment(): string {
  try {
    return globalThis.process?.env.NODE_ENV ?? ''
  }
  catch {
    // Deno without the permission to read the environment.
    return ''
  }
}

/** Looks for the cookies of other apps, and keeps no session from being left alone. */
const FOREIGN_COOKIES: SessionObserver = {
  isListening: false,
  session() {},
  rejected(_, foreign) {
    if (foreign)
      warnOfForeignCookie(foreign, 'Give this one a name of its own with the option `cookie.name`.')
  },
}
