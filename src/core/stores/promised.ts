import type { MaybeStore, SessionStore } from '../types'

/** A store as those use it who await every answer. */
export function promised(store: MaybeStore): SessionStore {
  const methods = Object.entries(store).map(([name, method]: [string, (...args: unknown[]) => unknown]) =>
    [name, name === 'keys' ? method : async (...args: unknown[]) => method(...args)])
  return Object.fromEntries(methods) as SessionStore
}
