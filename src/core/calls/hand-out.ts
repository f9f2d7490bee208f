import { deepFreeze } from '../record/value'

/** Where users find data: in a session, or in what their function of an update is given. */
export type DataName = 'session.data' | 'data'

/** The keys and indexes that lead to a value. */
export type DataPath = readonly (string | number)[]

/** Makes what users get of frozen data. */
export type Guard = <T>(value: T, name: DataName, path: DataPath) => T

let guard: Guard | undefined

/** From now on users get what this makes of data. */
export function guardWith(other: Guard): void {
  guard = other
}

/**
 * Data as users get them: frozen on every level.
 *
 * @param path where in the data the value is
 */
export function handOut<T>(value: T, name: DataName, ...path: string[]): T {
  const frozen = deepFreeze(value)
  return guard ? guard(frozen, name, path) : frozen
}
