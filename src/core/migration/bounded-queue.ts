/** Runs a task when those before it have ended, and answers `'busy'` at once where too many wait. */
export type BoundedQueue = <T>(task: () => Promise<T>) => Promise<T | 'busy'>

/** @param limit tasks that are running or waiting at the same time */
export function createBoundedQueue(limit: number): BoundedQueue {
  let length = 0
  let last: Promise<unknown> = Promise.resolve()
  return async (task) => {
    if (length >= limit)
      return 'busy'
    length++
    const result = last.then(task)
    const end = (): void => void length--
    last = result.then(end, end)
    return result
  }
}
