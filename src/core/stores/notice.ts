import type { Maybe } from '../maybe'
import type { Action } from './storage-error'
import { elapsed } from '../clock'
import { andThen } from '../maybe'

/** What a storage is made of, as far as it matters to who mends it. */
export type StorageKind = 'service' | 'files' | 'unknown'

/** What fails for some requests only would fill the log: it is told so often at most. */
const TELL_AGAIN_AFTER = 60_000

/** What else to look at than whether it runs, by what it failed with. */
const REMEDIES: readonly [causes: RegExp, remedy: string][] = [
  [/^(?:ENOSPC|EDQUOT|OOM|HTTP 507|53100)$/, 'Make room there'],
  [/^(?:READONLY|MISCONF|EROFS)$/, 'Check that it can be written there: what is asked may be a replica, or cannot save to its disk'],
  [/^(?:NOAUTH|WRONGPASS|NOPERM|HTTP 40[13]|AuthenticationFailed|Unauthorized|AccessDenied|28P01|28000|ER_ACCESS_DENIED_ERROR)$/, 'Check the user, the password or the token that it is given'],
]

const REMEDY: Record<StorageKind, string> = {
  service: 'Check that it runs and can be reached there',
  files: 'Check that the server\'s user may read and write there, and that there is free space',
  unknown: 'Check what it is connected to',
}

/** Tells the operator about one storage: one line when it is away or fails, one when it is back. */
export class Notice {
  /** Such as `redis at 127.0.0.1:6379`. */
  readonly name: string
  readonly #kind: StorageKind
  /** Why it is away, as far as that was told. */
  readonly #causes = new Set<string>()
  /** What it failed at, and has not done since. */
  readonly #failing = new Set<Action>()
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(name: string, kind: StorageKind) {
    this.name = name
    this.#kind = kind
  }

  get isAway(): boolean {
    return this.#causes.size > 0
  }

  /** @param cause why, without anything secret: each is told once until the storage is back */
  away(cause: string): void {
    if (this.#causes.has(cause))
      return
    this.#causes.add(cause)
    console.error(`[unsession] The session storage is away: ${this.name} (${cause}). Requests that use a session are answered with 503, all others work. ${this.#remedyFor(cause)}`)
  }

  /**
   * It answers that it cannot.
   *
   * @param cause why, without anything secret
   */
  failed(action: Action, cause: string): void {
    this.#failing.add(action)
    // One outage may have many causes.
    if (this.isAway || elapsed() - this.#toldAt < TELL_AGAIN_AFTER)
      return
    this.#causes.add(cause)
    this.#toldAt = elapsed()
    this.tell(`${cause} at ${action} records. Requests that need that are answered with 503. ${this.#remedyFor(cause)}`)
  }

  /** Looks whether what failed before works again. Nothing is done for a storage that never failed. */
  watch<T>(action: Action, answer: Maybe<T>): Maybe<T> {
    return this.#failing.size === 0 ? answer : andThen(answer, (value) => {
      this.#worked(action)
      return value
    })
  }

  /** @param what what is wrong although it is there, without anything secret */
  tell(what: string): void {
    console.error(`[unsession] The session storage is in trouble: ${this.name}: ${what}`)
  }

  back(): void {
    this.#failing.clear()
    if (!this.isAway)
      return
    this.#causes.clear()
    console.info(`[unsession] The session storage is back: ${this.name}.`)
  }

  #worked(action: Action): void {
    this.#failing.delete(action)
    // Where something can be written, it can be removed.
    if (action === 'writing')
      this.#failing.delete('removing')
    if (this.#failing.size === 0)
      this.back()
  }

  #remedyFor(cause: string): string {
    const [, remedy = REMEDY[this.#kind]] = REMEDIES.find(([causes]) => causes.test(cause)) ?? []
    return `${remedy}; it is asked again by itself, and no restart is needed.`
  }
}

/** The names of errors that say nothing. */
const UNTELLING = /^(?:Error|TypeError|FetchError|SessionError|ReplyError)$/

/** What an error is known by: a code, never its text, which may hold an address with its password, or a key. */
export function causeOf(error: unknown, depth = 0): string {
  const { status, statusCode = status, code, codeName = code, cause, name, message } = Object(error) as Record<string, unknown>
  if (typeof statusCode === 'number')
    return `HTTP ${statusCode}`
  if (isWord(codeName))
    return codeName
  if (name === 'ReplyError' && typeof message === 'string')
    return /^[A-Z]+/.exec(message)?.[0] ?? 'ERR'
  if (typeof cause === 'object' && cause !== null && depth < 5)
    return causeOf(cause, depth + 1)
  return isWord(name) && !UNTELLING.test(name) ? name : 'an error'
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && /^\w{1,60}$/.test(value)
}
