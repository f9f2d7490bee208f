import type { ServerApp } from './app'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Removes expired records; resolves to their number. */
export type Cleanup = () => Promise<number>

const cleanups = new WeakMap<object, Cleanup>()

/** Makes the clean-up known to the task `session:cleanup`. Ends with the server. */
export function provideCleanup(nitroApp: ServerApp, sweep: (signal: AbortSignal) => Promise<number>): Cleanup {
  const closing = new AbortController()
  nitroApp.hooks.hook('close', () => closing.abort())
  let running: Promise<number> | undefined
  const cleanup = (): Promise<number> => running ??= sweep(closing.signal).finally(() => running = undefined)
  cleanups.set(nitroApp, cleanup)
  return cleanup
}

/** The clean-up of a server. */
export function useCleanup(nitroApp: object): Cleanup | undefined {
  return cleanups.get(nitroApp)
}

/**
 * Cleans up soon after the start and then every hour, at a time of its own in each process.
 * Keeps no process alive.
 */
export function startCleanupTimer({ hooks, captureError }: ServerApp, cleanup: Cleanup): void {
  let timer: ReturnType<typeof setTimeout>
  let isClosed = false
  const schedule = (delay: number): void => {
    timer = setTimeout(() => {
      cleanup()
        .catch(error => captureError(error as Error, { tags: ['session'] }))
        .finally(() => isClosed || schedule(HOUR))
    }, delay * (1 + Math.random() / 10))
    timer.unref?.()
  }
  schedule(MINUTE)
  hooks.hook('close', () => {
    isClosed = true
    clearTimeout(timer)
  })
}
