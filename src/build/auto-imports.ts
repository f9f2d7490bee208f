import type { Nitro } from 'nitropack/types'

const UTILS = ['useSession', 'getSession', 'updateSession', 'regenerateSession', 'destroySession', 'clearSession', 'flash']

/** Below the default of 1: the app's own util of the same name wins, and nobody is warned of it. */
const PRIORITY = -1

/** Auto-imports the server utils. h3's utils of the same names leave Nitro's preset. */
export function addAutoImports({ options: { imports } }: Nitro, from: string): void {
  if (!imports)
    return
  const presets = (imports.presets ?? []).map((preset) => {
    const isH3 = typeof preset === 'object' && 'from' in preset && preset.from === 'h3'
    return isH3 ? { ...preset, imports: preset.imports.filter(name => !UTILS.includes(name as string)) } : preset
  })
  imports.presets = [...presets, { from, imports: UTILS, priority: PRIORITY }]
}
