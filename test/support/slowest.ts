import type { Reporter, TestModule } from 'vitest/node'

const SHOWN = 10

/** Prints the files that took longest, at the end of a run of many. */
export default class Slowest implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    if (modules.length <= SHOWN)
      return
    const times = modules.map(module => ({ name: module.relativeModuleId, seconds: secondsOf(module) })).sort((a, b) => b.seconds - a.seconds)
    const lines = times.slice(0, SHOWN).map(({ name, seconds }) => `${seconds.toFixed(1).padStart(8)} s  ${name}`)
    console.log(`\nThe slowest of ${modules.length} files, which took ${times.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(0)} s one by one:\n${lines.join('\n')}\n`)
  }
}

function secondsOf(module: TestModule): number {
  const { environmentSetupDuration, prepareDuration, collectDuration, setupDuration, duration } = module.diagnostic()
  return (environmentSetupDuration + prepareDuration + collectDuration + setupDuration + duration) / 1000
}
