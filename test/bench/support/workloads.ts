/** One kind of request. */
export interface Workload {
  name: string
  path: string
  /** Where the session that it carries began; without, each request is a visitor's first. */
  start?: '/new' | '/new-big'
  /** How many visitors ask at once, each with a session of their own. */
  parallel: number
  /** So many visitors ask one after the other: what a process remembers of the last ones is of no use. */
  visitors?: number
  /** True when each request adds 1 to the count. */
  isCounting?: boolean
  /** True when all of them have the same session; where that is in the cookie, it never is. */
  isShared?: boolean
}

export const WORKLOADS = [
  { name: 'read', path: '/read', start: '/new', parallel: 1 },
  { name: 'read, of 1,200 visitors', path: '/read', start: '/new', parallel: 1, visitors: 1200 },
  { name: 'read and write', path: '/write', start: '/new', parallel: 1, isCounting: true },
  { name: 'new session', path: '/new', parallel: 1 },
  { name: 'carried, untouched', path: '/untouched', start: '/new', parallel: 1 },
  { name: '3 KB, read and write', path: '/write', start: '/new-big', parallel: 1, isCounting: true },
  { name: 'read, 32 at once', path: '/read', start: '/new', parallel: 32 },
  { name: 'read and write, 32 at once', path: '/write', start: '/new', parallel: 32, isCounting: true },
  { name: '32 updates of one session', path: '/write', start: '/new', parallel: 32, isShared: true },
] as const satisfies readonly Workload[]

export type WorkloadName = typeof WORKLOADS[number]['name']

/** One of {@link WORKLOADS}. */
export type BenchWorkload = Workload & { name: WorkloadName }
