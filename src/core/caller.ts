/** A function that users call. */
export type Entry = (...args: never[]) => unknown

/** Does what a user called `entry` for. */
export function called<R>(_entry: Entry, task: () => R): R {
  return task()
}

/** As {@link called}, for what ends later. Never throws. */
export function calledLater<R>(_entry: Entry, task: () => Promise<R>): Promise<R> {
  try {
    return task()
  }
  catch (error) {
    return Promise.reject(error)
  }
}
