import type { SessionError, SessionErrorCode } from '../../../src/core/errors'
import { expect } from 'vitest'
import { isSessionError } from '../../../src/core/errors'

/** The error that was thrown or rejected with; fails when there was none or it is not ours. */
export async function caught(action: () => unknown): Promise<SessionError> {
  const error: unknown = await Promise.resolve().then(action).then(() => undefined, (reason: unknown) => reason)
  if (!isSessionError(error))
    expect.fail(`expected a SessionError, got ${String(error)}`)
  return error
}

/** The code of that error. */
export async function codeOf(action: () => unknown): Promise<SessionErrorCode> {
  return (await caught(action)).code
}
