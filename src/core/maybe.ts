/** A value that is there, or a promise of it. No promise is made for what is there at once. */
export type Maybe<T> = T | Promise<T>

/** Goes on with a value: at once when it is there. Drivers and stores of apps may promise it in the way of any library. */
export function andThen<T, R>(value: Maybe<T> | PromiseLike<T>, use: (value: T) => Maybe<R>): Maybe<R> {
  if (value instanceof Promise)
    return value.then(use)
  return isPromise(value) ? Promise.resolve(value).then(use) : use(value)
}

/** `catch` for what fails at once and for what fails later. */
export function orElse<T, R>(task: () => Maybe<T>, recover: (error: unknown) => Maybe<R>): Maybe<T | R> {
  let value: Maybe<T>
  try {
    value = task()
  }
  catch (error) {
    return recover(error)
  }
  if (value instanceof Promise)
    return value.catch(recover)
  return isPromise(value) ? Promise.resolve(value).catch(recover) : value
}

/** `finally` for what ends at once and for what ends later. `end` must not throw; it runs before whoever waits for the value goes on. */
export function whenDone<T>(task: () => Maybe<T>, end: () => void): Maybe<T> {
  let value: Maybe<T>
  try {
    value = task()
  }
  catch (error) {
    end()
    throw error
  }
  if (value instanceof Promise)
    value.then(end, end)
  else
    end()
  return value
}

/** A promise of a task that may be done at once. Its failure ends no process when nobody awaits it. */
export function toPromise<T>(task: () => Maybe<T>): Promise<T> {
  let value: Maybe<T>
  try {
    value = task()
  }
  catch (error) {
    value = Promise.reject(error)
  }
  if (!(value instanceof Promise))
    return Promise.resolve(value)
  value.catch(() => {})
  return value
}

/** True for a promise of any library. */
export function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
