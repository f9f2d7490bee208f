import { Session } from 'node:inspector/promises'
import { setFlagsFromString } from 'node:v8'

/** What V8 counted while a task ran. */
export interface Work {
  /** Blocks of our code that ran: bodies of functions and of loops, branches. */
  steps: number
  /** How often the functions of a name were called. */
  calls(name: string): number
}

/** Counts the work of our code, which is the same on every machine. */
export async function countWork(task: () => unknown): Promise<Work> {
  const inspector = new Session()
  inspector.connect()
  // Optimized code counts a third of its steps or all of them, as it happens.
  setFlagsFromString('--no-opt')
  setFlagsFromString('--no-maglev')
  try {
    await inspector.post('Profiler.enable')
    await inspector.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
    await task()
    const { result } = await inspector.post('Profiler.takePreciseCoverage')
    const functions = result.filter(({ url }) => url.includes('/src/')).flatMap(({ functions }) => functions)
    return {
      steps: sum(functions.flatMap(({ ranges }) => ranges)),
      calls: name => sum(functions.filter(({ functionName }) => functionName === name).flatMap(({ ranges }) => ranges.slice(0, 1))),
    }
  }
  finally {
    inspector.disconnect()
    setFlagsFromString('--opt')
  }
}

function sum(ranges: readonly { count: number }[]): number {
  return ranges.reduce((all, { count }) => all + count, 0)
}
