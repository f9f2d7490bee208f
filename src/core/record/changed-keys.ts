import { isEqualValue, toChanges } from './value'

/**
 * The changes of a patch that really differ from the data.
 *
 * @param get the value that a key has, or `undefined`
 * @throws SessionError `INVALID_VALUE` for what is no patch, or holds what cannot be kept
 */
export function changedKeys(get: (key: string) => unknown, patch: unknown): Map<string, unknown> {
  const changes = toChanges(patch)
  for (const [key, value] of changes) {
    if (isEqualValue(get(key), value))
      changes.delete(key)
  }
  return changes
}
