import { SessionError } from '../errors'

export type Action = 'reading' | 'writing' | 'removing' | 'listing'

/** Runs operations of one storage, none of which may keep a request waiting for long. */
export interface Attempts {
  /** @throws SessionError `STORAGE_ERROR` when the operation fails or does not answer in time */
  run<T>(action: Action, key: string, operation: () => Promise<T>): Promise<T>
}

/**
 * @param timeout milliseconds that one operation may take. When one took longer, others fail
 * at once for as long again, or until storage answers: pages that can do without the session
 * shall not wait for it each time
 */
export function createAttempts(timeout: number): Attempts {
  /** Operations that go on although nobody waits for them any more, by key. */
  const late = new Map<string, Promise<unknown>>()
  let stalledUntil = 0

  return {
    async run(action, key, operation) {
      if (Date.now() < stalledUntil)
        throw storageError(action, new Error(`Storage did not answer within ${timeout} ms a moment ago.`))
      let hasBegun = false
      let isLate = false
      const start = async (): ReturnType<typeof operation> => {
        // What is written late must not land on what comes after it.
        if (action !== 'reading')
          await late.get(key)
        hasBegun = true
        // A removal is made up for; of anything else the caller has been told that it failed.
        if (isLate && action !== 'removing')
          throw new Error('Its turn came too late.')
        return operation()
      }
      const result = start()
      const answered = result.then(() => {}, () => {}).then(() => {
        stalledUntil = 0
      })
      let timer: ReturnType<typeof setTimeout> | undefined
      const timedOut = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          isLate = true
          reject(new Error(`No answer within ${timeout} ms.`))
          // Who waited for an earlier one says nothing about storage.
          if (hasBegun)
            stalledUntil = Date.now() + timeout
          if (action === 'reading')
            return
          const ended = answered.then(() => {
            if (late.get(key) === ended)
              late.delete(key)
          })
          late.set(key, ended)
        }, timeout)
      })
      try {
        return await Promise.race([result, timedOut])
      }
      catch (cause) {
        throw storageError(action, cause)
      }
      finally {
        clearTimeout(timer)
      }
    },
  }
}

/** The error of every operation that fails. */
export function storageError(action: Action, cause: unknown): SessionError {
  return new SessionError('STORAGE_ERROR', `The session storage failed at ${action} records. The driver's error is the cause.`, { cause, details: { action } })
}
