import type { SessionStore } from '../../core/types'
import type { ServerApp } from './app'
import { hasCleanupTimer } from '#unsession/host'
import { sweep } from '../../core/storage/sweep'
import { startCleanupTimer } from '../../http/cleanup-timer'

/** Removes expired records; resolves to their number. */
export type Cleanup = () => Promise<number>

const cleanups = new WeakMap<object, Cleanup>()

/** Removes expired records, by the task `session:cleanup` or by a timer. Ends with the server. */
export function provideCleanup(nitroApp: ServerApp, getStore: () => SessionStore | undefined): void {
  let closing: AbortController | undefined
  // Made only when it is needed: while they start, workers refuse to.
  const getClosing = (): AbortController => closing ??= new AbortController()
  nitroApp.hooks.hook('close', () => getClosing().abort())
  const clean = async (): Promise<number> => {
    const store = getStore()
    return store ? sweep(store, getClosing().signal) : 0
  }
  let running: Promise<number> | undefined
  const cleanup = (): Promise<number> => running ??= clean().finally(() => running = undefined)
  cleanups.set(nitroApp, cleanup)
  if (hasCleanupTimer && !import.meta.prerender)
    nitroApp.hooks.hook('close', startCleanupTimer(cleanup, error => nitroApp.captureError(error as Error, { tags: ['session'] })))
}

/** The clean-up of a server; `undefined` where nothing has to be removed. */
export function useCleanup(nitroApp: object): Cleanup | undefined {
  return cleanups.get(nitroApp)
}
