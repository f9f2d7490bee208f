import { onTestFinished } from 'vitest'

/** Collects what would end the process. */
export function watchProcess(): unknown[] {
  const problems: unknown[] = []
  const listener = (reason: unknown): number => problems.push(reason)
  process.on('unhandledRejection', listener)
  process.on('uncaughtException', listener)
  onTestFinished(() => {
    process.off('unhandledRejection', listener)
    process.off('uncaughtException', listener)
  })
  return problems
}
