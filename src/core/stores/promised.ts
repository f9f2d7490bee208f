import type { MaybeStore, SessionStore } from '../types'

const METHODS = ['get', 'set', 'delete', 'compareAndSet', 'dropsExpired'] as const

/** A store as those use it who await every answer. */
export function promised(store: MaybeStore): SessionStore {
  const methods = METHODS.filter(name => store[name]).map(name =>
    [name, async (...args: never[]) => (store[name] as (...args: never[]) => unknown)(...args)])
  return { ...store, ...Object.fromEntries(methods) } as SessionStore
}
