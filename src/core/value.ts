import { SessionError } from './errors'

/** Deeper values are refused before they exhaust the stack. */
const MAX_DEPTH = 200

/**
 * A frozen copy of a value that JSON keeps as it is.
 *
 * @throws SessionError `INVALID_VALUE` naming where the value is and what to store instead
 */
export function toStorableValue(value: unknown, key: string): unknown {
  return copy(value, [key])
}

/** Freezes a value that came from JSON, on every level. */
export function deepFreeze<T>(value: T): T {
  if (isObject(value) && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) {
      if (isObject(part))
        deepFreeze(part)
    }
  }
  return value
}

/** True when both are the same JSON. */
export function isEqualValue(a: unknown, b: unknown): boolean {
  return a === b || (isObject(a) && isObject(b) && JSON.stringify(a) === JSON.stringify(b))
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function copy(value: unknown, path: readonly string[], parents: readonly object[] = []): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (!Number.isFinite(value))
        refuse(path, String(value), 'Store null or a string instead.')
      // JSON knows one zero.
      return value === 0 ? 0 : value
    case 'undefined':
      return refuse(path, 'undefined', 'Leave the key out, or store null.')
    case 'bigint':
      return refuse(path, 'a BigInt', 'Store it as a string.')
    case 'object':
      if (value === null)
        return null
      if (parents.includes(value))
        refuse(path, 'a reference to an object that contains it', 'Store an id instead of the object.')
      if (parents.length >= MAX_DEPTH)
        refuse(path.slice(0, 5), `more than ${MAX_DEPTH} levels deep`, 'Flatten it.')
      return copyObject(value, path, [...parents, value])
    default:
      return refuse(path, `a ${typeof value}`, 'Only JSON values can be stored.')
  }
}

function copyObject(value: object, path: readonly string[], parents: readonly object[]): unknown {
  const keys = Object.keys(value)
  const hasSymbols = Object.getOwnPropertySymbols(value).length > 0
  if (Array.isArray(value)) {
    if (!isPlainArray(value))
      refuse(path, 'an instance of a class of arrays', 'Store [...array].')
    if (keys.some((key, index) => key !== String(index)) || keys.length !== value.length || hasSymbols)
      refuse(path, 'an array with holes or extra properties', 'Store a dense array.')
    return Object.freeze(Array.from(value, (item, index) => copy(item, [...path, String(index)], parents)))
  }
  if (!isPlainObject(value))
    refuse(path, `an instance of ${className(Object.getPrototypeOf(value))}`, remedyFor(value))
  if (hasSymbols)
    refuse(path, 'an object with symbol keys', 'Use string keys.')
  return Object.freeze(Object.fromEntries(keys.map(key => [key, copy((value as Record<string, unknown>)[key], [...path, key], parents)])))
}

/** True for an object without a class, of this realm or of another (a vm context, a worker). */
export function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || isObjectPrototype(prototype)
}

function isPlainArray(value: readonly unknown[]): boolean {
  const prototype = Object.getPrototypeOf(value)
  return Array.isArray(prototype) && isObjectPrototype(Object.getPrototypeOf(prototype))
}

function isObjectPrototype(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')
}

function className(prototype: object): string {
  const name = prototype.constructor?.name
  return typeof name === 'string' && name ? name : 'a class'
}

function remedyFor(value: object): string {
  if (value instanceof Date)
    return 'Store date.toISOString() or date.getTime().'
  if (value instanceof Map)
    return 'Store Object.fromEntries(map).'
  if (value instanceof Set)
    return 'Store [...set].'
  return 'Store a plain object with its fields.'
}

function refuse(path: readonly string[], what: string, remedy: string): never {
  const where = path.join('.')
  throw new SessionError('INVALID_VALUE', `The session cannot keep \`${where}\`: it is ${what}, which JSON would change or lose. ${remedy}`, { details: { key: path[0], path: where } })
}

export function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return isObject(value) && 'then' in value && typeof value.then === 'function'
}

/** What a function makes of a value: at once when the value is there, later when it is promised. */
export function whenThere<T, R>(value: T | PromiseLike<T>, make: (value: T) => R | Promise<R>): R | Promise<R> {
  return isPromise(value) ? Promise.resolve(value).then(make) : make(value)
}

/** An object without what is there in name only. */
export function definedOf<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>
}
