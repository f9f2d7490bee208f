import type { Nitro } from './nitro'
import { EXPIRING } from '../core/stores/driver'
import { isServerless } from './hosts'
import { configOf } from './runtime-config'

const TASK = 'session:cleanup'
const HOURLY = '0 * * * *'

/** Adds the task that removes expired records, with its schedule where Nitro's tasks are on. */
export function addCleanup(nitro: Nitro, handler: string): void {
  if (!keepsRecords(nitro))
    return
  const { options } = nitro
  // Also where there is nothing to remove: a schedule of the app may name it.
  options.tasks[TASK] ??= { handler, description: 'Removes expired sessions from storage.' }
  const scheduled = Object.values(options.scheduledTasks ?? {}).flat()
  if (needsCleanup(nitro) && options.experimental.tasks && !scheduled.includes(TASK))
    options.scheduledTasks = { ...options.scheduledTasks, [HOURLY]: [options.scheduledTasks?.[HOURLY] ?? [], TASK].flat() }
}

/** True where nobody but a timer would run it. */
export function needsCleanupTimer(nitro: Nitro): boolean {
  const { options } = nitro
  return needsCleanup(nitro) && !options.experimental.tasks && !isServerless(options.preset)
}

/** False where nothing is stored, or by a driver that drops what has expired. What the app mounts may be another one at run time. */
export function needsCleanup(nitro: Nitro): boolean {
  const { storage } = configOf(nitro)
  return keepsRecords(nitro) && !(typeof storage === 'object' && EXPIRING_NAMES.has(plain(storage.driver)))
}

/** Drivers have a second name in camel case. */
const EXPIRING_NAMES = new Set([...EXPIRING].map(plain))

function plain(name: string): string {
  return name.replaceAll('-', '').toLowerCase()
}

function keepsRecords(nitro: Nitro): boolean {
  return configOf(nitro).mode !== 'cookie'
}
