/** Remembers what was used last, at least `size` things and at most twice as many. */
export class Recent<T> {
  readonly #size: number
  #newer = new Map<string, T>()
  #older = new Map<string, T>()

  constructor(size: number) {
    this.#size = size
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
    if (this.#newer.size >= this.#size) {
      this.#older = this.#newer
      this.#newer = new Map()
    }
    this.#newer.set(key, value)
  }
}
