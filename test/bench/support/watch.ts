import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'

/** What requests and the event loop went through; times in milliseconds. */
export interface Watched {
  /** From the moment at which each request was due, also when the loop was busy then. */
  latencies: number[]
  /** The longest time between two ticks of our own: nothing else could run meanwhile. */
  longestGap: number
  /** The most that this process computed in such a time; other processes do not lengthen it. */
  longestWork: number
  /** The same, as `monitorEventLoopDelay` saw it. */
  longestDelay: number
  /** The longest pause for garbage, which no code of ours can divide. */
  longestCollection: number
}

/** Milliseconds from one request to the next: far below what a process can serve, or they would wait for each other. */
export const REQUEST_INTERVAL = 5

/** Makes requests at a steady rate until the task ends. */
export async function watchDuring(request: () => Promise<void>, task: () => Promise<unknown>): Promise<Watched> {
  const collections: number[] = []
  const observer = new PerformanceObserver(list => collections.push(...list.getEntries().map(({ duration }) => duration)))
  observer.observe({ entryTypes: ['gc'] })
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const latencies: number[] = []
  const requests: Promise<unknown>[] = []
  const progress = { isDone: false, longestGap: 0, longestWork: 0 }
  const end = task().finally(() => progress.isDone = true)
  let tick = performance.now()
  let work = process.cpuUsage()
  let due = tick
  while (!progress.isDone) {
    await wait(1)
    const now = performance.now()
    const { user, system } = process.cpuUsage(work)
    progress.longestGap = Math.max(progress.longestGap, now - tick)
    progress.longestWork = Math.max(progress.longestWork, (user + system) / 1000)
    tick = now
    work = process.cpuUsage()
    for (; due <= now; due += REQUEST_INTERVAL)
      requests.push(measure(due, request, latencies))
  }
  delay.disable()
  await Promise.all([end, ...requests])
  observer.disconnect()
  const { longestGap, longestWork } = progress
  return { latencies, longestGap, longestWork, longestDelay: delay.max / 1e6, longestCollection: collections.reduce((a, b) => Math.max(a, b), 0) }
}

async function measure(due: number, request: () => Promise<void>, latencies: number[]): Promise<void> {
  await request()
  latencies.push(performance.now() - due)
}
