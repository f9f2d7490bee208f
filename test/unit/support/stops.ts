/** A point at which one operation stands still. */
export interface Gate {
  /** Resolves when the operation has arrived. */
  readonly reached: Promise<void>
  release(): void
}

interface Stop<Operation> {
  operation: Operation
  when: 'before' | 'after'
  arrive(): void
  released: Promise<void>
}

/** Operations that tests hold, before they take effect or before their answer arrives. */
export class Stops<Operation extends string> {
  readonly #stops: Stop<Operation>[] = []

  /** Holds the next such operation that no other gate holds. */
  hold(operation: Operation, when: 'before' | 'after' = 'before'): Gate {
    let release = (): void => {}
    let arrive = (): void => {}
    const released = new Promise<void>(resolve => release = resolve)
    const reached = new Promise<void>(resolve => arrive = resolve)
    this.#stops.push({ operation, when, arrive, released })
    return { reached, release }
  }

  async pass(operation: Operation, when: 'before' | 'after'): Promise<void> {
    const index = this.#stops.findIndex(stop => stop.operation === operation && stop.when === when)
    const [stop] = index < 0 ? [] : this.#stops.splice(index, 1)
    stop?.arrive()
    await stop?.released
  }
}
