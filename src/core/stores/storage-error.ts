import { isSessionError, SessionError } from '../errors'
import { isPromise } from '../maybe'
import { hostsOf } from './address'

/** What an operation of storage does. */
export type Action = 'reading' | 'writing' | 'removing' | 'listing'

/** The error of every operation that fails. A storage that was never set up is no failure of it, and one that says so itself has said it. */
export function storageError(action: Action, cause: unknown): SessionError {
  if (isSessionError(cause) && ['CONFIG_ERROR', 'STORAGE_ERROR'].includes(cause.code))
    return cause
  return new SessionError('STORAGE_ERROR', `The session storage failed at ${action} records. The driver's error is the cause.`, { cause: withoutSecrets(cause), details: { action } })
}

/**
 * Clients of Redis add the command to their errors, whose arguments are the session, or a password;
 * those of HTTP name the whole address.
 */
function withoutSecrets(cause: unknown, depth = 0): unknown {
  if (!(cause instanceof Error))
    return cause
  if ('command' in cause)
    delete cause.command
  // Node adds the whole address to the error of one that it cannot read.
  if ('input' in cause)
    delete cause.input
  if ('lastNodeError' in cause)
    withoutSecrets(cause.lastNodeError)
  if (cause.cause !== undefined && depth < 5)
    withoutSecrets(cause.cause, depth + 1)
  if (cause.message.includes('://')) {
    cause.stack &&= shortenAddresses(cause.stack)
    cause.message = shortenAddresses(cause.message)
  }
  // That of Upstash has it in its text.
  const at = cause.message.indexOf(', command was: ')
  if (at >= 0) {
    const command = cause.message.slice(at)
    cause.stack = cause.stack?.replace(command, () => '')
    cause.message = cause.message.slice(0, at)
  }
  return cause
}

/** Addresses without names, passwords, paths and queries; those of files, which a stack is full of, have no host. */
function shortenAddresses(text: string): string {
  return text.replace(/:\/\/[^\s/]\S*/g, address => `://${hostsOf(address.slice(1)) ?? '...'}${/["'`>)]?[,.:;]?$/.exec(address)![0]}`)
}

/** The file system drivers give an error such as EACCES as if it were the value. */
export function throwIfError(value: unknown): unknown {
  if (isPromise(value))
    return Promise.resolve(value).then(throwIfError)
  if (value instanceof Error)
    throw value
  return value
}
