import { toUtf8 } from './encoding'

/** The keys of a session's data, or of its messages. They change in place until somebody is shown them. */
export class Entries {
  #values: Readonly<Record<string, unknown>>
  /** True for values that nobody else holds. */
  #isOwn = false
  #size: number
  /** Counted when it is first asked for. */
  #bytes: number | undefined

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values
    this.#size = Object.keys(values).length
  }

  get size(): number {
    return this.#size
  }

  /** How many bytes they are as JSON. */
  get bytes(): number {
    this.#bytes ??= jsonBytes(this.#values) + (this.#size > 0 ? 1 : 0)
    return this.#bytes - (this.#size > 0 ? 1 : 0)
  }

  /** All of them, as they are now: what changes later is another object. */
  get values(): Readonly<Record<string, unknown>> {
    this.#isOwn = false
    return this.#values
  }

  /** The value of a key; `undefined` where there is none. */
  get(key: string): unknown {
    return Object.hasOwn(this.#values, key) ? this.#values[key] : undefined
  }

  /** Sets a key; `undefined` removes it. */
  set(key: string, value: unknown): void {
    const before = this.get(key)
    if (before === value)
      return
    const values = this.#isOwn ? this.#values as Record<string, unknown> : copyOf(this.#values)
    if (value === undefined)
      delete values[key]
    else
      setOwn(values, key, value)
    this.#values = values
    this.#isOwn = true
    this.#size += Number(value !== undefined) - Number(before !== undefined)
    if (this.#bytes !== undefined)
      this.#bytes += entryBytes(key, value) - entryBytes(key, before)
  }
}

function copyOf(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { ...values }
}

/** Sets a key that to an assignment is not like any other, too. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else
    target[key] = value
}

/** How many bytes of UTF-8 a value is as JSON. */
export function jsonBytes(value: unknown): number {
  return toUtf8(JSON.stringify(value)).length
}

/** With the colon, and a comma. */
function entryBytes(key: string, value: unknown): number {
  return value === undefined ? 0 : jsonBytes(key) + jsonBytes(value) + 2
}
