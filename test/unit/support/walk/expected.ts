/** Where a session keeps something: its data or its messages, and the key. */
export type Place = readonly [part: 'data' | 'flash', key: string]

/** A place and what is there from now on; `undefined` for nothing. */
export type Effect = readonly [...Place, value: unknown]

/** What a session holds. */
export interface Content {
  data: Readonly<Record<string, unknown>>
  flash: Readonly<Record<string, unknown>>
}

export const DATA_KEYS: readonly Place[] = [['data', 'a'], ['data', 'b'], ['data', 'user']]

/** All places that the walk uses. */
export const KEYS: readonly Place[] = [...DATA_KEYS, ['flash', 'a'], ['flash', 'b'], ['flash', 'user']]

export function emptied(places: readonly Place[]): Effect[] {
  return places.map(place => [...place, undefined])
}

/**
 * What the session of one request must hold, place by place. Where operations are awaited one
 * after the other that is one value each. Where something is under way it may be any of several;
 * what other requests change may be there as well, or not yet.
 */
export class Expected {
  /** By place: what the request loaded and changed. */
  readonly #own = new Map<string, Set<unknown>>()
  /** By place: what others have changed since. */
  readonly #others = new Map<string, Set<unknown>>()
  /** False once nothing is known any more. */
  isKnown = true

  /** Begins anew with what the request was shown. */
  start(content: Content): void {
    this.isKnown = true
    for (const place of KEYS)
      this.#own.set(nameOf(place), new Set([content[place[0]][place[1]]]))
  }

  /** A change of the request itself that is done. */
  change(effects: readonly Effect[]): void {
    for (const [part, key, value] of effects)
      this.#own.set(nameOf([part, key]), new Set([value]))
  }

  /** A change of the request itself that is under way, or fails. */
  mayChange(effects: readonly Effect[]): void {
    for (const effect of effects)
      add(this.#own, effect)
  }

  /** A change of another request. */
  mayBeChanged(effects: readonly Effect[]): void {
    for (const effect of effects)
      add(this.#others, effect)
  }

  /** When nothing is under way, what is shown is the only possibility left. */
  narrow(content: Content): void {
    this.#others.clear()
    this.start(content)
  }

  forget(): void {
    this.isKnown = false
  }

  /** Nothing of a session that was ended is left, whatever was under way. */
  restart(): void {
    this.#others.clear()
    this.start({ data: {}, flash: {} })
  }

  /** The one value that a place must have, or several. */
  at(place: Place): unknown[] {
    const name = nameOf(place)
    return [...new Set([...this.#own.get(name) ?? [undefined], ...this.#others.get(name) ?? []])]
  }

  /** The first place that holds what it must not. */
  findWrong(content: Content, places = KEYS): string | undefined {
    if (!this.isKnown)
      return undefined
    for (const place of places) {
      const value = content[place[0]][place[1]]
      const name = nameOf(place)
      if (!(this.#own.get(name)?.has(value) ?? value === undefined) && !this.#others.get(name)?.has(value))
        return `${place.join(' ')} is ${String(value)}, not ${this.at(place).join(' or ')}`
    }
    return undefined
  }

  /** True when there must be something, so that the session must be there. */
  get mustHoldSomething(): boolean {
    return this.isKnown && KEYS.some(place => !this.at(place).includes(undefined))
  }

  /** True when nothing can be there. */
  get mustBeEmpty(): boolean {
    return this.isKnown && KEYS.every(place => this.at(place).every(value => value === undefined))
  }
}

function nameOf([part, key]: Place): string {
  return `${part}.${key}`
}

function add(places: Map<string, Set<unknown>>, [part, key, value]: Effect): void {
  const name = nameOf([part, key])
  const values = places.get(name)
  if (values)
    values.add(value)
  else
    places.set(name, new Set([value]))
}
