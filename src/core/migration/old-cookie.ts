import type { Migrator } from '../manager'
import type { OldCookies, TakenOver } from '../session/ports'
import type { Exchange } from '../ports'
import type { OldToken, SessionMigration } from './migration'
import type { TakeOverContext } from './take-over'
import { buildRemoval } from '../cookie/set-cookie'
import { readCookies, readPieces } from '../cookie/header'
import { scopeTextOf } from '../cookie/scope'
import { migrate } from './migrating'
import { OLD_COOKIE_PATH } from './migration'
import { JOIN_MS, takeOver } from './take-over'

/** A subdomain can toss cookies of the same name; more than so many are not looked at. */
const MAX_CANDIDATES = 4

/** The cookies of one migration. Who has none needs none of this code, and no server of theirs holds it. */
export function createMigrator(migration: SessionMigration, joinMs = JOIN_MS): Migrator {
  return {
    open(destination) {
      const context = { ...destination, joinMs, recent: new Map() }
      return exchange => new OldCookie(migration, context, exchange)
    },
    migrate,
  }
}

/** The cookie of another package in one request. */
export class OldCookie implements OldCookies {
  readonly #migration: SessionMigration
  readonly #context: TakeOverContext
  readonly #exchange: Exchange
  /** `undefined` until the cookies were looked at. */
  #tokens: OldToken[] | undefined

  constructor(migration: SessionMigration, context: TakeOverContext, exchange: Exchange) {
    this.#migration = migration
    this.#context = context
    this.#exchange = exchange
  }

  /** True when the request carries one that is not foreign. */
  get isCarried(): boolean {
    return this.#candidates.length > 0
  }

  /** True when the request carries one under the name of our own cookie. */
  get isNamedAsOurs(): boolean {
    return this.#migration.cookie.name === this.#context.options.cookie.name && this.isCarried
  }

  /** Removes one that has our name from where it is, where ours is elsewhere and so does not replace it. */
  get removalBesideOurs(): string | undefined {
    const { path = OLD_COOKIE_PATH, domain } = this.#migration.cookie
    const { cookie } = this.#context.options
    const old = { ...cookie, path, domain }
    return this.isNamedAsOurs && scopeTextOf(old) !== scopeTextOf(cookie) ? buildRemoval(old) : undefined
  }

  /** Takes over the session of the first cookie that has one. */
  async take(events: Parameters<OldCookies['take']>[0]): Promise<TakenOver | undefined> {
    for (const token of this.#candidates) {
      const old = await token.open()
      if (!old)
        continue
      const taken = typeof old === 'string' ? old : await takeOver(old, this.#context)
      if (typeof taken === 'object')
        return taken
      await events.tellRejected(taken)
    }
    return undefined
  }

  /** Removes it from the browser, apart from one that is named as ours: that is for ours to replace or to remove. */
  expire(): void {
    const { path = OLD_COOKIE_PATH, domain } = this.#migration.cookie
    const { cookie } = this.#context.options
    for (const name of new Set(this.#candidates.flatMap(({ names }) => names))) {
      if (name !== cookie.name)
        this.#exchange.setCookies(name, [buildRemoval({ ...cookie, name, path, domain })])
    }
  }

  get #candidates(): OldToken[] {
    return this.#tokens ??= this.#find()
  }

  #find(): OldToken[] {
    const { cookieHeader } = this.#exchange
    const { cookie: { name }, maxOpened = MAX_CANDIDATES } = this.#migration
    let pieces: Map<string, string> | undefined
    const readCookie = (piece: string): string | undefined => (pieces ??= readPieces(cookieHeader, name)).get(piece)
    return readCookies(cookieHeader, name)
      .slice(0, MAX_CANDIDATES)
      .flatMap(value => this.#migration.recognize(value, readCookie) ?? [])
      .slice(0, maxOpened)
  }
}
