import type { Driver } from 'unstorage'
import memory from 'unstorage/drivers/memory'

export type Operation = 'read' | 'write' | 'remove'

/** A point at which one operation of the driver stands still. */
export interface Gate {
  /** Resolves when the operation has arrived. */
  readonly reached: Promise<void>
  release(): void
}

export interface Call {
  operation: Operation
  key: string
  ttl?: number
}

interface Stop {
  operation: Operation
  when: 'before' | 'after'
  arrive(): void
  released: Promise<void>
}

/** unstorage's memory driver, every step of which can be seen, held and made to fail. */
export class ControlledDriver {
  readonly calls: Call[] = []
  readonly driver: Driver
  readonly #stops: Stop[] = []
  readonly #failures = new Map<Operation, Error>()

  constructor() {
    const inner = memory()
    const step = async <T>(call: Call, act: () => T | Promise<T>): Promise<T> => {
      this.calls.push(call)
      const { operation } = call
      const failure = this.#failures.get(operation)
      await this.#pass(operation, 'before')
      if (failure)
        throw failure
      const result = await act()
      await this.#pass(operation, 'after')
      return result
    }
    this.driver = {
      ...inner,
      getItem: key => step({ operation: 'read', key }, () => inner.getItem(key)),
      setItem: (key, value, options: { ttl?: number }) => step({ operation: 'write', key, ttl: options.ttl }, async () => inner.setItem?.(key, value, options)),
      removeItem: (key, options) => step({ operation: 'remove', key }, async () => inner.removeItem?.(key, options)),
    }
  }

  /** Holds the next such operation, before it takes effect or before its answer arrives. */
  hold(operation: Operation, when: 'before' | 'after' = 'before'): Gate {
    let release = (): void => {}
    let arrive = (): void => {}
    const released = new Promise<void>(resolve => release = resolve)
    const reached = new Promise<void>(resolve => arrive = resolve)
    this.#stops.push({ operation, when, arrive, released })
    return { reached, release }
  }

  /** Makes every such operation fail until {@link ControlledDriver.repair}. */
  fail(operation: Operation, error = new Error(`cannot ${operation}`)): Error {
    this.#failures.set(operation, error)
    return error
  }

  repair(): void {
    this.#failures.clear()
  }

  count(operation: Operation): number {
    return this.calls.filter(call => call.operation === operation).length
  }

  async #pass(operation: Operation, when: 'before' | 'after'): Promise<void> {
    const index = this.#stops.findIndex(stop => stop.operation === operation && stop.when === when)
    const [stop] = index < 0 ? [] : this.#stops.splice(index, 1)
    stop?.arrive()
    await stop?.released
  }
}
