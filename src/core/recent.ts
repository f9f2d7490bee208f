interface Entry<T> {
  readonly key: string
  readonly value: T
}

/** Remembers what was used last: things of a total weight of about `size` at least, and of twice that at most. */
export class Recent<T> {
  readonly #size: number
  readonly #weigh: (key: string) => number
  #newer = new Map<string, Entry<T>>()
  #older = new Map<string, Entry<T>>()
  #weight = 0

  /** @param weigh what a thing weighs by its key; by default all weigh 1, and `size` is a number of things */
  constructor(size: number, weigh: (key: string) => number = () => 1) {
    this.#size = size
    this.#weigh = weigh
  }

  get(key: string): T | undefined {
    const entry = this.#newer.get(key)
    if (entry)
      return entry.value
    const older = this.#older.get(key)
    if (older)
      this.#keep(older)
    return older?.value
  }

  set(key: string, value: T): void {
    this.#keep({ key, value })
  }

  delete(key: string): void {
    if (this.#newer.delete(key))
      this.#weight -= this.#weigh(key)
    this.#older.delete(key)
  }

  /** Under the key that it was set with: one that is asked for may be a part of a long text, which would stay in memory. */
  #keep(entry: Entry<T>): void {
    const { key } = entry
    if (!this.#newer.has(key)) {
      if (this.#weight >= this.#size) {
        this.#older = this.#newer
        this.#newer = new Map()
        this.#weight = 0
      }
      this.#weight += this.#weigh(key)
    }
    this.#newer.set(key, entry)
  }
}
