import type { SessionStore } from '../core/types'
import type { UnstorageLike } from '../core/stores/methods'
import { configError, issue, type OptionIssue } from '../core/resolve-options'
import { isSessionStore, isStorage } from '../core/stores/kinds'
import { createLateStore, promiseOf } from '../core/stores/late'
import { createOwnStore } from '../core/stores/own'
import { createStorageStore } from '../core/stores/unstorage'
import { viewOf } from '../core/stores/view'
import { isPromise } from '../core/maybe'

/** What keeps records: a storage of unstorage, or a store of your own. */
export type Store = SessionStore | UnstorageLike

/** What can be given as `store`. */
export type GivenStore = Store | PromiseLike<Store>

const REMEDY = 'Pass `createUnstorageStore({ type: \'redis\', options })`, or use `mode: \'cookie\'`.'

/** What is wrong with what was given as `store`; what a promise holds is not known yet. */
export function checkStore(store: unknown): OptionIssue[] {
  return isStorage(store) || isSessionStore(store) || isPromise(store) ? [] : [issue('store', store, REMEDY)]
}

/** @param timeout milliseconds that one operation may take */
export function openStore(store: GivenStore, timeout: number): SessionStore {
  if (isPromise(store))
    return createLateStore(store, made => openStore(assertStore(made), timeout), timeout)
  return isStorage(store) ? createStorageStore(store, { base: '', timeout }) : createOwnStore(store, timeout)
}

function assertStore(made: unknown): Store {
  if (isStorage(made) || isSessionStore(made))
    return made
  throw configError([issue('store', made, REMEDY)])
}

/** What promises that were given have made. */
const made = new WeakMap<object, unknown>()

/** Resolves once a store that was promised is there; `undefined` for one that is. */
export function whenMade(store: unknown): Promise<void> | undefined {
  if (!isPromise(store) || made.has(store))
    return undefined
  return promiseOf(store).then(value => void made.set(store, value))
}

/** Names the place that a store has: the same for all storages that keep their things in it. */
export function placeOf(given: unknown): string {
  const store = storeOf(given)
  const place = isStorage(store) ? viewOf(store).place() : undefined
  return place ? `${numberOf(place.driver)}:${place.at}` : numberOf(store)
}

/** Names a store by what it does: its place, unless it has methods of its own. */
export function nameOf(given: unknown): string {
  const store = storeOf(given)
  return isStorage(store) && !viewOf(store).isOwn ? placeOf(store) : numberOf(store)
}

/** What a promise has made, as far as that is known. */
function storeOf(given: unknown): unknown {
  return isPromise(given) && made.has(given) ? made.get(given) : given
}

const numbers = new WeakMap<object, string>()
let count = 0

/** A text for each object, which others do not get. */
export function numberOf(value: unknown): string {
  if (typeof value !== 'object' || value === null)
    return ''
  const number = numbers.get(value) ?? String(++count)
  numbers.set(value, number)
  return number
}
