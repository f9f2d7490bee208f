import type { Answer } from './recording-proxy'
import { COOKIE } from '../../support/browser'

/** `user` is exposed, `own` is told by a route of the app, `message` is a flash message, `hidden` is never told. */
export type CanaryKind = 'user' | 'own' | 'message' | 'hidden'

let made = 0

/** A value that is nowhere by chance, says whose it is, and is spelled the same in HTML, JSON and URLs. */
export function createCanary(owner: string, kind: CanaryKind): string {
  return `canary-${owner}-${kind}-${(++made).toString(36).padStart(6, '0')}`
}

/** A canary, also one that was cut off. */
const CANARY = /canary-(?<owner>[a-z]*)(?:-(?<kind>[a-z]*))?/g

/** What the start of a canary looks like in base64, wherever it begins. */
const ENCODED = [0, 1, 2].map((offset) => {
  const text = Buffer.from('\0'.repeat(offset) + 'canary-').toString('base64url')
  // Without the characters that also depend on what is before and after it.
  return text.slice([0, 2, 3][offset], -2)
})

/** What ids and signatures are made of. */
const TOKEN = /[\w-]{20,}/g

/** Searches what visitors receive for what belongs to others. */
export class LeakJudge {
  readonly #cookieName: string
  readonly #isShared: (path: string) => boolean
  readonly #owners = new Map<string, string>()
  readonly #findings = new Set<string>()
  #answers = 0
  #bytes = 0

  /** @param isShared true for paths whose answers go to anybody, so hold nothing of anyone */
  constructor({ cookieName = COOKIE, isShared }: { cookieName?: string, isShared: (path: string) => boolean }) {
    this.#cookieName = cookieName
    this.#isShared = isShared
  }

  get findings(): string[] {
    return [...this.#findings]
  }

  get answers(): number {
    return this.#answers
  }

  get bytes(): number {
    return this.#bytes
  }

  note(finding: string): void {
    this.#findings.add(finding)
  }

  /** Reads every byte that a visitor received. */
  examine(visitor: string, { path, headers, body, status }: Answer): void {
    const isShared = this.#isShared(path.replace(/\?.*$/, ''))
    const where = `${status} ${path.replace(/\?.*$/, '')}`
    this.#answers++
    for (const [name, value] of headers) {
      if (name.toLowerCase() === 'set-cookie' && value.startsWith(`${this.#cookieName}=`)) {
        if (isShared)
          this.note(`${where}: a cookie in an answer for anybody`)
        this.#learn(visitor, value)
      }
      this.#search(visitor, `${where}, header ${name}`, `${name}: ${value}`, isShared)
    }
    this.#search(visitor, where, body.toString('latin1'), isShared)
  }

  /** Reads what was kept for anybody. */
  examineShared(where: string, text: string): void {
    this.#search('anybody', where, text, true)
    if (new RegExp(`set-cookie\\W+${this.#cookieName}=`, 'i').test(text))
      this.note(`${where}: a cookie kept for anybody`)
  }

  #search(visitor: string, where: string, text: string, isShared: boolean): void {
    this.#bytes += text.length
    for (const { groups: { owner, kind } = {} } of text.matchAll(CANARY)) {
      if (owner !== visitor)
        this.note(`${where}: ${visitor} was sent the ${kind} of ${owner}`)
      else if (kind === 'hidden')
        this.note(`${where}: ${visitor} was sent what nobody asked for`)
      else if (isShared)
        this.note(`${where}: the ${kind} of ${owner} in an answer for anybody`)
    }
    if (ENCODED.some(encoded => text.includes(encoded)))
      this.note(`${where}: ${visitor} was sent a canary in base64`)
    for (const [token] of text.matchAll(TOKEN)) {
      const owner = this.#owners.get(token) ?? visitor
      if (owner !== visitor)
        this.note(`${where}: ${visitor} was sent a part of the cookie of ${owner}`)
    }
  }

  /** The parts of a cookie belong to the first who gets it. */
  #learn(visitor: string, line: string): void {
    const [value = ''] = line.slice(this.#cookieName.length + 1).split(';')
    for (const [token] of decodeURIComponent(value).matchAll(TOKEN)) {
      if (!this.#owners.has(token))
        this.#owners.set(token, visitor)
    }
  }
}
