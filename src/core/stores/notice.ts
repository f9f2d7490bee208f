/** Tells the operator about one storage: one line when it is away, one when it is back. */
export class Notice {
  /** Such as `redis at 127.0.0.1:6379`. */
  readonly name: string
  /** Why it is away, as far as that was told. */
  readonly #causes = new Set<string>()

  constructor(name: string) {
    this.name = name
  }

  get isAway(): boolean {
    return this.#causes.size > 0
  }

  /** @param cause why, without anything secret: each is told once until the storage is back */
  away(cause: string): void {
    if (this.#causes.has(cause))
      return
    this.#causes.add(cause)
    console.error(`[unsession] The session storage is away: ${this.name} (${cause}). Requests that use a session are answered with 503, all others work. Check that it runs and can be reached there; it is asked again by itself, and no restart is needed.`)
  }

  /** @param what what is wrong although it is there, without anything secret */
  tell(what: string): void {
    console.error(`[unsession] The session storage is in trouble: ${this.name}: ${what}`)
  }

  back(): void {
    if (!this.isAway)
      return
    this.#causes.clear()
    console.info(`[unsession] The session storage is back: ${this.name}.`)
  }
}
