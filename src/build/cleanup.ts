import type { Nitro } from './nitro'
import { isServerless } from './hosts'
import { configOf } from './runtime-config'

const TASK = 'session:cleanup'
const HOURLY = '0 * * * *'

/** Adds the task that removes expired records, with its schedule where Nitro's tasks are on. */
export function addCleanup(nitro: Nitro, handler: string): void {
  if (!keepsRecords(nitro))
    return
  const { options } = nitro
  options.tasks[TASK] ??= { handler, description: 'Removes expired sessions from storage.' }
  const scheduled = Object.values(options.scheduledTasks ?? {}).flat()
  if (options.experimental.tasks && !scheduled.includes(TASK))
    options.scheduledTasks = { ...options.scheduledTasks, [HOURLY]: [options.scheduledTasks?.[HOURLY] ?? [], TASK].flat() }
}

/** True where nobody but a timer would run it. */
export function needsCleanupTimer(nitro: Nitro): boolean {
  const { options } = nitro
  return keepsRecords(nitro) && !options.experimental.tasks && !isServerless(options.preset)
}

function keepsRecords(nitro: Nitro): boolean {
  return configOf(nitro).mode !== 'cookie'
}
