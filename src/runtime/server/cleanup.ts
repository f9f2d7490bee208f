import type { ServerApp } from './app'

/** Removes expired records; resolves to their number. */
export type Cleanup = () => Promise<number>

const cleanups = new WeakMap<object, Cleanup>()

/** Makes the clean-up known to the task `session:cleanup`. Ends with the server. */
export function provideCleanup(nitroApp: ServerApp, sweep: (signal: AbortSignal) => Promise<number>): Cleanup {
  let closing: AbortController | undefined
  // Made only when it is needed: while they start, workers refuse to.
  const getClosing = (): AbortController => closing ??= new AbortController()
  nitroApp.hooks.hook('close', () => getClosing().abort())
  let running: Promise<number> | undefined
  const cleanup = (): Promise<number> => running ??= sweep(getClosing().signal).finally(() => running = undefined)
  cleanups.set(nitroApp, cleanup)
  return cleanup
}

/** The clean-up of a server. */
export function useCleanup(nitroApp: object): Cleanup | undefined {
  return cleanups.get(nitroApp)
}
