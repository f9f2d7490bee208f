import { isSessionError } from '../errors'

/** A function that users call. */
export type Entry = (...args: never[]) => unknown

/** Where a call was made. */
export interface Site {
  stack?: string
}

/** Not every engine has it: there, errors keep the stack that they were made with. */
const { captureStackTrace } = Error as { captureStackTrace?: (target: object, above?: Entry) => void }

/** Errors that functions of users threw while we ran them: their stacks are right as they are. */
const ofUsers = new WeakSet<object>()

let isRemembering = false

/**
 * From now on it is remembered where each asynchronous call was made, which takes microseconds:
 * for development. Without it the stack begins at the line that awaits the call.
 */
export function rememberCallers(): void {
  isRemembering = true
}

/** Does what a user called `entry` for. The stack of an error of ours begins at the line of the call. */
export function called<R>(entry: Entry, task: () => R): R {
  try {
    return task()
  }
  catch (error) {
    throw beginAt(error, entry)
  }
}

/**
 * As {@link called}, for what ends later. Never throws. Of what has begun, nobody must hear: the
 * response tells of a write that failed.
 */
export function calledLater<R>(entry: Entry, task: () => Promise<R>): Promise<R> {
  let begun
  try {
    begun = task()
  }
  catch (error) {
    return Promise.reject(beginAt(error, entry))
  }
  const ended: Promise<R> = awaited(begun, siteOf(entry), () => ended)
  return ended
}

/** The caller awaits this one, and nobody else does: else the engine could not tell its line. */
async function awaited<R>(begun: Promise<R>, site: Site, self: () => Promise<R>): Promise<R> {
  try {
    return await begun
  }
  catch (error) {
    const placed = beginAt(error, awaited, site)
    self().catch(() => {})
    throw placed
  }
}

/**
 * Where the caller of `entry` stands; nothing where that is not remembered. To ask when the call
 * is about to wait.
 *
 * @param isRemembered true for calls that are made so rarely that the time does not matter
 */
export function siteOf(entry: Entry, isRemembered = isRemembering): Site {
  const site: Site = {}
  if (isRemembered)
    captureStackTrace?.(site, entry)
  return site
}

const FRAME = '\n    at '

/**
 * Lets the stack of an error of ours begin at the caller of a function that runs now.
 *
 * @param site given once the function has waited: its caller is where that says, or awaits it
 */
export function beginAt(error: unknown, entry: Entry, site?: Site): unknown {
  if (!isSessionError(error) || ofUsers.has(error))
    return error
  const { stack: before } = error
  if (!site?.stack)
    captureStackTrace?.(error, entry)
  const frames = framesOf(site?.stack ?? error.stack)
  // Nobody may be there to be found: then where it was made is better than nothing.
  error.stack = frames ? `${error.name}: ${error.message}${frames}` : before
  return error
}

/** Without the first frames, if these are of Node, which runs what was awaited, or built in, such as `push`. */
function framesOf(stack = ''): string {
  const [, ...frames] = stack.split(FRAME)
  const first = frames.findIndex(frame => !frame.includes('node:internal/') && !frame.includes('(<anonymous>)'))
  return first < 0 ? '' : frames.slice(first).map(frame => FRAME + frame).join('')
}

/** A function of the user, whose errors stay as they are. */
export function ofUser<F>(given: F): F {
  if (typeof given !== 'function')
    return given
  const run = (...args: unknown[]): unknown => {
    try {
      return given(...args)
    }
    catch (error) {
      if (isSessionError(error))
        ofUsers.add(error)
      throw error
    }
  }
  return run as F
}
