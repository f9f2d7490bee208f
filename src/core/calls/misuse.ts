import { SessionError } from '../errors'
import { isPlainObject } from '../record/value'
import { isPromise } from '../maybe'

/**
 * @param call as it should have been written
 * @param wanted what it takes
 * @param line the line to write instead
 */
export function misuse(call: string, wanted: string, given: unknown, line: string): SessionError {
  return new SessionError('INVALID_VALUE', `\`${call}\` takes ${wanted}, and got ${kindOf(given)}. Write \`${line}\`.`)
}

/** What a value is, and nothing of what is in it: it may be a password or a cookie. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null)
    return String(value)
  if (Array.isArray(value))
    return 'an array'
  if (isPromise(value))
    return 'a promise, which must be awaited before'
  return typeof value === 'object' ? isPlainObject(value) ? 'an object' : 'an instance of a class' : `a ${typeof value}`
}

/**
 * @param call as it should have been written
 * @param line for keys that were meant as data
 * @throws SessionError `INVALID_VALUE`
 */
export function assertKey(call: string, key: unknown, line = call.replace('key', '\'key\'')): void {
  if (typeof key !== 'string')
    throw misuse(call, 'a string as its key', key, line)
}

/**
 * @param call as it should have been written
 * @param canBeFunction true where a function may make the patch
 * @throws SessionError `INVALID_VALUE`
 */
export function assertPatch(call: string, patch: unknown, canBeFunction: boolean): void {
  const isMissing = patch === undefined || patch === null
  if (canBeFunction ? typeof patch === 'function' : isMissing)
    return
  if (typeof patch === 'object' && !isMissing && mayBePatch(patch))
    return
  // The error below is what the caller hears of.
  if (patch instanceof Promise)
    patch.catch(() => {})
  throw misuse(call, `an object of keys and values${canBeFunction ? ' or a function that makes one' : ''}`, patch, call.replace('patch', '{ key: value }'))
}

function mayBePatch(patch: object): boolean {
  try {
    return isPlainObject(patch) && !isPromise(patch)
  }
  catch {
    // What cannot be read is refused where it is copied.
    return true
  }
}

/**
 * @param others the arguments that are too many
 * @throws SessionError `INVALID_VALUE`
 */
export function assertNoMore(call: string, others: readonly unknown[]): void {
  const other = others.find(other => other !== undefined)
  if (other !== undefined)
    throw misuse(call, 'nothing else', other, call)
}

/**
 * Other packages take callbacks, which nothing would ever call here. Whatever else a method is
 * handed, as that of a `then` or of an event, is left alone.
 *
 * @throws SessionError `INVALID_VALUE`
 */
export function assertNoCallback(call: string, given: readonly unknown[]): void {
  const callback = given.find(argument => typeof argument === 'function')
  if (callback !== undefined)
    throw misuse(call, 'no callback', callback, call)
}
