/** What became of a request that changes something. `unknown`: it may have happened, or may still. */
export type Outcome = 'acknowledged' | 'refused' | 'unknown'

/** One id that a session had. */
export interface Cookie {
  readonly value: string
  readonly lineage: Lineage
  /** True once a request that ends this id was sent: from then on 401 is a right answer. */
  isEnding: boolean
  /** True once such a request was acknowledged: to what is sent from then on 401 is the only right answer. */
  isEnded: boolean
}

/** What is known when a request begins, so that its answer must show it. */
export interface Known {
  increments: number
  present: string[]
  absent: string[]
}

interface KeyNote {
  set: Outcome | 'sent'
  removal?: Outcome | 'sent'
}

interface MessageNote {
  writing: Outcome | 'sent'
  /** Reads that run now, that showed it, or whose answer is unknown. */
  takers: number
  /** True once a read showed it and its removal must have been stored. */
  isTaken: boolean
}

/** A session under all its ids, from login to destroy, as those who work on it know it. */
export class Lineage {
  readonly name: string
  /** The last one is the present one. */
  readonly cookies: Cookie[] = []
  /** True once a destroy was acknowledged. */
  isDestroyed = false
  /** The id that was destroyed, as a browser still sends it that was in the middle of something. */
  leftOver: string | undefined
  /** True once an ending was sent whose answer is unknown: its id is not known any more, so nobody works on it. */
  isAdrift = false
  readonly #increments = { sent: 0, acknowledged: 0, refused: 0 }
  readonly #keys = new Map<string, KeyNote>()
  readonly #messages = new Map<string, MessageNote>()
  #names = 0

  constructor(name: string, cookie: string) {
    this.name = name
    this.addCookie(cookie)
  }

  get cookie(): Cookie {
    return this.cookies.at(-1)!
  }

  /** True while the session must answer to its cookie. */
  get isOpen(): boolean {
    return !this.isDestroyed && !this.isAdrift
  }

  get messages(): string[] {
    return [...this.#messages].filter(([, { writing }]) => writing === 'acknowledged').map(([key]) => key)
  }

  /** Keys that a delete makes sense for. */
  get removable(): string[] {
    return [...this.#keys].filter(([, { set, removal }]) => set === 'acknowledged' && removal === undefined).map(([key]) => key)
  }

  addCookie(value: string): void {
    this.cookies.push({ value, lineage: this, isEnding: this.isDestroyed, isEnded: this.isDestroyed })
  }

  /** A destroy was acknowledged: nothing of it may answer any more. */
  destroy(by: Cookie): void {
    this.isDestroyed = true
    this.leftOver = by.value
    for (const cookie of this.cookies)
      Object.assign(cookie, { isEnding: true, isEnded: true })
  }

  // --- What was sent; the returned function takes what became of it ---

  increment(): (outcome: Outcome) => void {
    this.#increments.sent++
    return (outcome) => {
      if (outcome !== 'unknown')
        this.#increments[outcome]++
    }
  }

  setKey(): { key: string, end: (outcome: Outcome) => void } {
    const key = `k${++this.#names}`
    const note: KeyNote = { set: 'sent' }
    this.#keys.set(key, note)
    return { key, end: outcome => note.set = outcome }
  }

  removeKey(key: string): (outcome: Outcome) => void {
    const note = this.#keys.get(key)!
    note.removal = 'sent'
    return outcome => note.removal = outcome
  }

  writeMessage(): { key: string, end: (outcome: Outcome) => void } {
    const key = `m${++this.#names}`
    const note: MessageNote = { writing: 'sent', takers: 0, isTaken: false }
    this.#messages.set(key, note)
    return { key, end: outcome => note.writing = outcome }
  }

  /** The function says what is wrong with the answer, if anything. */
  readMessage(key: string, cookie: Cookie): (outcome: Outcome, message: unknown) => string | undefined {
    const note = this.#messages.get(key)!
    const wasTaken = note.isTaken
    note.takers++
    return (outcome, message) => {
      if (outcome === 'unknown')
        return undefined
      if (outcome === 'refused' || message === undefined)
        note.takers--
      if (outcome === 'refused')
        return undefined
      if (message === undefined)
        return note.takers === 0 ? `message ${key} was lost before anybody read it` : undefined
      // An id that ends while a message is read through it may hand the message on.
      note.isTaken ||= !cookie.isEnding
      if (message !== `message ${key}`)
        return `message ${key} is ${JSON.stringify(message)}`
      return wasTaken ? `message ${key} was shown again, one read after the other` : undefined
    }
  }

  // --- What the data must be ---

  get known(): Known {
    const present: string[] = []
    const absent: string[] = []
    for (const [key, { set, removal }] of this.#keys) {
      if (set === 'refused' || removal === 'acknowledged')
        absent.push(key)
      else if (set === 'acknowledged' && isUntouched(removal))
        present.push(key)
    }
    return { increments: this.#increments.acknowledged, present, absent }
  }

  /** What is wrong with the data in an answer to a request that began when this was known. */
  check(data: Record<string, unknown>, { increments, present, absent }: Known): string[] {
    const count = Number(data.count)
    const { sent, refused } = this.#increments
    return [
      ...data.lineage === this.name ? [] : [`it is the session of ${data.lineage}`],
      ...count >= increments ? [] : [`${increments - count} of ${increments} acknowledged increments were lost`],
      ...count <= sent - refused ? [] : [`it counts ${count}, though only ${sent - refused} increments can have happened`],
      ...present.filter(key => isUntouched(this.#keys.get(key)?.removal) && data[key] !== 'set').map(key => `${key} was set and is gone`),
      ...absent.filter(key => key in data).map(key => this.#keys.get(key)?.set === 'refused' ? `${key} was refused and is there` : `${key} was deleted and is back`),
      ...Object.keys(data).filter(key => !['lineage', 'count'].includes(key) && !this.#keys.has(key)).map(key => `it holds ${key}, which was never set`),
    ]
  }
}

function isUntouched(removal: KeyNote['removal']): boolean {
  return removal === undefined || removal === 'refused'
}
