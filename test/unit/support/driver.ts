import type { Driver } from 'unstorage'
import type { Gate } from './stops'
import memory from 'unstorage/drivers/memory'
import { Stops } from './stops'

export type Operation = 'read' | 'write' | 'remove'

export interface Call {
  operation: Operation
  key: string
  ttl?: number
}

/** unstorage's memory driver, every step of which can be seen, held and made to fail. */
export class ControlledDriver {
  readonly calls: Call[] = []
  readonly driver: Driver
  readonly #stops = new Stops<Operation>()
  readonly #failures = new Map<Operation, Error>()

  constructor() {
    const inner = memory()
    const step = async <T>(call: Call, act: () => T | Promise<T>): Promise<T> => {
      this.calls.push(call)
      const { operation } = call
      const failure = this.#failures.get(operation)
      await this.#stops.pass(operation, 'before')
      if (failure)
        throw failure
      const result = await act()
      await this.#stops.pass(operation, 'after')
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
    return this.#stops.hold(operation, when)
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
}
