import { isSessionError, SessionError } from '../errors'
import { isPromise } from '../maybe'

/** What an operation of storage does. */
export type Action = 'reading' | 'writing' | 'removing' | 'listing'

/** The error of every operation that fails. A storage that was never set up is no failure of it, and one that says so itself has said it. */
export function storageError(action: Action, cause: unknown): SessionError {
  if (isSessionError(cause) && ['CONFIG_ERROR', 'STORAGE_ERROR'].includes(cause.code))
    return cause
  return new SessionError('STORAGE_ERROR', `The session storage failed at ${action} records. The driver's error is the cause.`, { cause: withoutCommand(cause), details: { action } })
}

/** Clients of Redis add the command to their errors, whose arguments are the session, or a password. */
function withoutCommand(cause: unknown): unknown {
  if (!(cause instanceof Error))
    return cause
  if ('command' in cause)
    delete cause.command
  if ('lastNodeError' in cause)
    withoutCommand(cause.lastNodeError)
  // That of Upstash has it in its text.
  const at = cause.message.indexOf(', command was: ')
  if (at >= 0) {
    const command = cause.message.slice(at)
    cause.stack = cause.stack?.replace(command, () => '')
    cause.message = cause.message.slice(0, at)
  }
  return cause
}

/** The file system drivers give an error such as EACCES as if it were the value. */
export function throwIfError(value: unknown): unknown {
  if (isPromise(value))
    return Promise.resolve(value).then(throwIfError)
  if (value instanceof Error)
    throw value
  return value
}
