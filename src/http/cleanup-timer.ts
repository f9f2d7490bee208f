const MINUTE = 60_000
const HOUR = 60 * MINUTE

/**
 * Cleans up soon after the start and then every hour, at a time of its own in each process.
 * Keeps no process alive.
 *
 * @returns what ends it
 */
export function startCleanupTimer(cleanup: () => Promise<unknown>, onError: (error: unknown) => void): () => void {
  let timer: ReturnType<typeof setTimeout>
  let isOver = false
  const schedule = (delay: number): void => {
    timer = setTimeout(() => {
      cleanup().catch(onError).finally(() => isOver || schedule(HOUR))
    }, delay * (1 + Math.random() / 10))
    unref(timer)
  }
  schedule(MINUTE)
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}

/** The timers of Deno are numbers. */
function unref(timer: ReturnType<typeof setTimeout> | number): void {
  if (typeof timer === 'object')
    timer.unref()
  else
    (globalThis as { Deno?: { unrefTimer(timer: number): void } }).Deno?.unrefTimer(timer)
}
