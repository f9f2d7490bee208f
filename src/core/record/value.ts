import { isSessionError, SessionError } from '../errors'
import { isPromise } from '../maybe'

/** Deeper values are refused before they exhaust the stack. */
const MAX_DEPTH = 200

/** Characters of the path to a value that an error shows. */
const MAX_SHOWN = 200

/**
 * A frozen copy of a value that JSON keeps as it is. Properties that are `undefined` are left out.
 *
 * @throws SessionError `INVALID_VALUE` naming where the value is and what to store instead
 */
export function toStorableValue(value: unknown, key: string): unknown {
  return copy(value, [key], new Set())
}

/**
 * The changes of a patch that users gave: each value as {@link toStorableValue} copies it, or `undefined`.
 *
 * @throws SessionError `INVALID_VALUE`, also for what is no plain object of string keys
 */
export function toChanges(patch: unknown): Map<string, unknown> {
  const entries = new Map<string, unknown>()
  const path: Path = []
  readable(path, () => {
    if (!isObject(patch) || !isPlainObject(patch))
      throw noPatch(patch)
    for (const key of stringKeysOf(patch, path)) {
      path[0] = key
      const value = (patch as Record<string, unknown>)[key]
      entries.set(key, value === undefined ? undefined : copy(value, path, new Set()))
    }
  })
  return entries
}

function noPatch(value: unknown): SessionError {
  if (!isPromise(value))
    return new SessionError('INVALID_VALUE', 'A session patch must be a plain object of keys and values.')
  // The error is what the caller hears of.
  value.then(undefined, () => {})
  return new SessionError('INVALID_VALUE', 'The function that makes a patch returned a promise. It must be synchronous and pure: await before.')
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

/** True when both are the same JSON. Another order of keys is another value, for it comes back in that order. */
export function isEqualValue(a: unknown, b: unknown): boolean {
  return a === b || (isObject(a) && isObject(b) && JSON.stringify(a) === JSON.stringify(b))
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** The keys that lead to a value; one array serves a whole copy. */
type Path = (string | number)[]

/** @param parents the objects that contain the value */
function copy(value: unknown, path: Path, parents: Set<object>): unknown {
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
      return refuse(path, 'undefined', 'Leave it out, or store null.')
    case 'bigint':
      return refuse(path, 'a BigInt', 'Store it as a string.')
    case 'object':
      return value === null ? null : readable(path, () => copyObject(value, path, parents))
    default:
      return refuse(path, `a ${typeof value}`, 'Only JSON values can be stored.')
  }
}

function copyObject(value: object, path: Path, parents: Set<object>): object {
  if (parents.has(value))
    refuse(path, 'a reference to an object that contains it', 'Store an id instead of the object.')
  if (parents.size >= MAX_DEPTH)
    refuse(path.slice(0, 5), `more than ${MAX_DEPTH} levels deep`, 'Flatten it.')
  parents.add(value)
  const copied = Array.isArray(value) ? copyArray(value, path, parents) : copyPlainObject(value, path, parents)
  parents.delete(value)
  return Object.freeze(copied)
}

function copyArray(value: readonly unknown[], path: Path, parents: Set<object>): unknown[] {
  if (!isPlainArray(value))
    refuse(path, 'an instance of a class of arrays', 'Store [...array].')
  const keys = stringKeysOf(value, path)
  if (keys.length !== value.length || keys.some((key, index) => key !== String(index)))
    refuse(path, 'an array with holes or extra properties', 'Store a dense array.')
  const end = path.length
  const copied = keys.map((_, index) => {
    path[end] = index
    return copy(value[index], path, parents)
  })
  path.length = end
  return copied
}

function copyPlainObject(value: object, path: Path, parents: Set<object>): object {
  if (!isPlainObject(value))
    refuse(path, `an instance of ${className(Object.getPrototypeOf(value))}`, remedyFor(value))
  const end = path.length
  const entries: [string, unknown][] = []
  for (const key of stringKeysOf(value, path)) {
    path[end] = key
    const part = (value as Record<string, unknown>)[key]
    // As JSON does: whoever reads the property finds the same.
    if (part !== undefined)
      entries.push([key, copy(part, path, parents)])
  }
  path.length = end
  return Object.fromEntries(entries)
}

/** Its keys, of which none is a symbol. */
function stringKeysOf(value: object, path: Path): string[] {
  if (Object.getOwnPropertySymbols(value).length > 0)
    refuse(path, 'an object with symbol keys', 'Use string keys.')
  return Object.keys(value)
}

/** Does what may call code of others: a getter, the traps of a proxy. */
function readable<T>(path: Path, read: () => T): T {
  try {
    return read()
  }
  catch (cause) {
    throw isSessionError(cause) ? cause : invalidValue(path, 'reading it failed. Store a plain copy of it.', cause)
  }
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
  if (isPromise(value))
    return 'Await it first.'
  if (ArrayBuffer.isView(value))
    return 'Store it as base64 text.'
  const { valueOf } = value as { valueOf?: () => unknown }
  return typeof (valueOf?.call(value) ?? value) === 'object' ? 'Store a plain object with its fields.' : 'Store value.valueOf().'
}

function refuse(path: Path, what: string, remedy: string): never {
  throw invalidValue(path, `it is ${what}, which JSON would change or lose. ${remedy}`)
}

function invalidValue(path: Path, why: string, cause?: unknown): SessionError {
  const where = path.join('.').slice(0, MAX_SHOWN)
  return new SessionError('INVALID_VALUE', `The session cannot keep ${where ? `\`${where}\`` : 'this patch'}: ${why}`, { details: { key: path[0], path: where }, ...(cause !== undefined && { cause }) })
}

/** An object without what is there in name only. */
export function definedOf<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>
}

/** Sets a key that to an assignment is not like any other, too. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else
    target[key] = value
}
