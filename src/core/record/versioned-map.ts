/** A map that is only read. */
export interface Entries {
  readonly size: number
  has(key: string): boolean
  get(key: string): unknown
  [Symbol.iterator](): IterableIterator<[string, unknown]>
}

/** How a version differs from the one that was made of it. */
interface Difference {
  readonly newer: VersionedMap
  readonly key: string
  readonly had: boolean
  readonly value: unknown
}

/**
 * An immutable map: `with` gives another, and this one stays what it is. The version that was used
 * last holds a `Map`, the others how they differ from it, so a chain of n changes costs n steps
 * (H. Baker, "Shallow binding makes functional arrays fast", 1991).
 */
export class VersionedMap implements Entries {
  #map: Map<string, unknown> | undefined
  #difference: Difference | undefined

  constructor(map: Map<string, unknown> = new Map()) {
    this.#map = map
  }

  get size(): number {
    return this.#read().size
  }

  has(key: string): boolean {
    return this.#read().has(key)
  }

  get(key: string): unknown {
    return this.#read().get(key)
  }

  [Symbol.iterator](): IterableIterator<[string, unknown]> {
    // A copy, for a version that is made meanwhile changes the map.
    return [...this.#read()][Symbol.iterator]()
  }

  /** The map with another value under a key. */
  with(key: string, value: unknown): VersionedMap {
    const map = this.#read()
    const had = map.has(key)
    const before = map.get(key)
    map.set(key, value)
    const newer = new VersionedMap(map)
    this.#map = undefined
    this.#difference = { newer, key, had, value: before }
    return newer
  }

  #read(): Map<string, unknown> {
    if (!this.#map)
      VersionedMap.#handMapTo(this)
    return this.#map!
  }

  static #handMapTo(version: VersionedMap): void {
    const path = [version]
    while (!path.at(-1)!.#map)
      path.push(path.at(-1)!.#difference!.newer)
    for (let index = path.length - 1; index > 0; index--)
      VersionedMap.#rollBack(path[index]!, path[index - 1]!)
  }

  /** Hands the map from a version to the one that it was made of. */
  static #rollBack(newer: VersionedMap, older: VersionedMap): void {
    const map = newer.#map!
    const { key, had, value } = older.#difference!
    newer.#difference = { newer: older, key, had: map.has(key), value: map.get(key) }
    newer.#map = undefined
    if (had)
      map.set(key, value)
    else
      map.delete(key)
    older.#map = map
    older.#difference = undefined
  }
}
