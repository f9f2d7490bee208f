import type { SessionStore } from '../types'
import type { UnstorageLike } from './methods'

/** True for a storage of unstorage, and for an object of your own that can do the same. */
export function isStorage(value: unknown): value is UnstorageLike {
  return hasMethods<UnstorageLike>(value, 'getItem', 'setItem', 'removeItem')
}

export function isSessionStore(value: unknown): value is SessionStore {
  return hasMethods<SessionStore>(value, 'get', 'set', 'delete')
}

/** True for an object with these methods. */
export function hasMethods<T>(value: unknown, ...names: (keyof T & string)[]): value is T {
  return typeof value === 'object' && value !== null && names.every(name => typeof (value as Record<string, unknown>)[name] === 'function')
}
