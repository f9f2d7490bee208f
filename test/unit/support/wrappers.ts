import type { UnstorageLike } from '../../../src/core/stores/unstorage'

/** A storage of unstorage, of either major version. */
export interface Storage extends Required<UnstorageLike> {
  getItem(key: string, ...rest: unknown[]): Promise<unknown>
  setItem(key: string, value: unknown, ...rest: unknown[]): Promise<void>
  removeItem(key: string, ...rest: unknown[]): Promise<void>
  getKeys(base?: string, ...rest: unknown[]): Promise<string[]>
}

type Methods = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'getKeys'>

/** What a wrapper does beside handing on. */
export interface Wrapping {
  /** Is told of each call. */
  seen(method: keyof Methods, key: string | undefined): void
  /** What is stored instead of a value, and the way back. */
  encode(value: unknown): unknown
  decode(value: unknown): unknown
}

function methodsOf(storage: Storage, { seen, encode, decode }: Wrapping): Methods {
  return {
    async getItem(key, ...rest) {
      seen('getItem', key)
      const value = await storage.getItem(key, ...rest)
      return value === null ? null : decode(value)
    },
    async setItem(key, value, ...rest) {
      seen('setItem', key)
      await storage.setItem(key, encode(value), ...rest)
    },
    async removeItem(key, ...rest) {
      seen('removeItem', key)
      await storage.removeItem(key, ...rest)
    },
    async getKeys(base, ...rest) {
      seen('getKeys', base)
      return storage.getKeys(base, ...rest)
    },
  }
}

/** A class that knows nothing of mounts. */
class Around implements Methods {
  readonly #methods: Methods

  constructor(methods: Methods) {
    this.#methods = methods
  }

  getItem(key: string): Promise<unknown> {
    return this.#methods.getItem(key)
  }

  setItem(key: string, value: unknown, options?: unknown): Promise<void> {
    return this.#methods.setItem(key, value, options)
  }

  removeItem(key: string): Promise<void> {
    return this.#methods.removeItem(key)
  }

  getKeys(base?: string): Promise<string[]> {
    return this.#methods.getKeys(base)
  }
}

/** A class that hands on all that it does not do itself. */
class Between extends Around {
  readonly storage: Storage & { [method: string]: unknown }

  constructor(storage: Storage, methods: Methods) {
    super(methods)
    this.storage = storage as Storage & { [method: string]: unknown }
  }

  getMount(...args: unknown[]): unknown {
    return (this.storage.getMount as (...args: unknown[]) => unknown)(...args)
  }

  getMounts(...args: unknown[]): unknown {
    return (this.storage.getMounts as (...args: unknown[]) => unknown)(...args)
  }

  mount(...args: unknown[]): unknown {
    return (this.storage.mount as (...args: unknown[]) => unknown)(...args)
  }

  unmount(...args: unknown[]): unknown {
    return (this.storage.unmount as (...args: unknown[]) => unknown)(...args)
  }
}

/** The ways to give a storage methods of one's own. */
export const WRAPPERS: [how: string, wrap: (storage: Storage, wrapping: Wrapping) => Storage][] = [
  ['a copy with some of its methods replaced', (storage, wrapping) => ({ ...storage, ...methodsOf(storage, wrapping) })],
  ['an object of four methods', (storage, wrapping) => methodsOf(storage, wrapping)],
  ['a class around it', (storage, wrapping) => new Around(methodsOf(storage, wrapping))],
  ['a class around it that hands on the mounts', (storage, wrapping) => new Between(storage, methodsOf(storage, wrapping))],
  ['a class around it that is what mounting gives', (storage, wrapping) => {
    const between = new Between(storage, methodsOf(storage, wrapping))
    return Object.assign(between, {
      mount: (...args: unknown[]) => {
        Between.prototype.mount.apply(between, args)
        return between
      },
    })
  }],
  ['a Proxy of some methods', (storage, wrapping) => {
    const methods: Record<PropertyKey, unknown> = { ...methodsOf(storage, wrapping) }
    return new Proxy(storage, { get: (target, name) => methods[name] ?? Reflect.get(target, name) })
  }],
  ['a Proxy of every method', (storage, wrapping) => {
    const methods: Record<PropertyKey, unknown> = { ...methodsOf(storage, wrapping) }
    return new Proxy(storage, {
      get(target, name, receiver) {
        const value = methods[name] ?? Reflect.get(target, name, receiver)
        return typeof value === 'function' ? (...args: unknown[]): unknown => value.apply(target, args) : value
      },
    })
  }],
  ['the storage itself, with methods that were replaced', (storage, wrapping) => {
    const { getItem, setItem, removeItem, getKeys } = storage
    return Object.assign(storage, methodsOf({ getItem, setItem, removeItem, getKeys }, wrapping))
  }],
]
