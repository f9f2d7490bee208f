import type { Nitro } from 'nitropack/types'
import type { SessionOptions } from '../runtime/server/types'
import { isServerless } from './storage'

const TASK = 'session:cleanup'
const HOURLY = '0 * * * *'

/** Adds the task that removes expired records, with its schedule where Nitro's tasks are on. */
export function addCleanup({ options }: Nitro, handler: string): void {
  if (!keepsRecords(options))
    return
  options.tasks[TASK] ??= { handler, description: 'Removes expired sessions from storage.' }
  const scheduled = Object.values(options.scheduledTasks ?? {}).flat()
  if (options.experimental.tasks && !scheduled.includes(TASK))
    options.scheduledTasks = { ...options.scheduledTasks, [HOURLY]: [options.scheduledTasks?.[HOURLY] ?? [], TASK].flat() }
}

/** True where nobody but a timer would run it. */
export function needsCleanupTimer(options: Nitro['options']): boolean {
  return keepsRecords(options) && !options.experimental.tasks && !isServerless(options.preset)
}

function keepsRecords({ runtimeConfig }: Nitro['options']): boolean {
  return (runtimeConfig as { session?: SessionOptions }).session?.mode !== 'cookie'
}
