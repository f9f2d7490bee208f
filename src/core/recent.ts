/** Remembers what was used last: things of a total weight of about `size` at least, and of twice that at most. */
export class Recent<T> {
  readonly #size: number
  readonly #weigh: (key: string) => number
  #newer = new Map<string, T>()
  #older = new Map<string, T>()
  #weight = 0

  /** @param weigh what a thing weighs by its key; by default all weigh 1, and `size` is a number of things */
  constructor(size: number, weigh: (key: string) => number = () => 1) {
    this.#size = size
    this.#weigh = weigh
  }

  get(key: string): T | undefined {
    const value = this.#newer.get(key)
    if (value !== undefined)
      return value
    const older = this.#older.get(key)
    if (older !== undefined)
      this.set(key, older)
    return older
  }

  set(key: string, value: T): void {
    if (!this.#newer.has(key)) {
      if (this.#weight >= this.#size) {
        this.#older = this.#newer
        this.#newer = new Map()
        this.#weight = 0
      }
      this.#weight += this.#weigh(key)
    }
    this.#newer.set(key, value)
  }

  delete(key: string): void {
    if (this.#newer.delete(key))
      this.#weight -= this.#weigh(key)
    this.#older.delete(key)
  }
}
