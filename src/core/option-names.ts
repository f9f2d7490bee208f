import type { OptionIssue } from './resolve-options'
import { hintFor } from './option-hints'

/** The options that exist, by name. Those of a group, such as `cookie`, are below its name. */
export type KnownOptions = Readonly<Record<string, unknown>>

/**
 * What is wrong with the names of options, each with what was probably meant.
 *
 * @param prefix what the options are below, for example `migrate.`
 */
export function unknownOptions(options: object, known: KnownOptions, prefix = ''): OptionIssue[] {
  const names = pathsOf(known)
  return pathsOf(options, known).filter(path => !names.includes(path)).map((path) => {
    const hint = hintFor(path, names, prefix) ?? 'Check its spelling.'
    return { path: prefix + path, problem: 'There is no such option.', remedy: hint }
  })
}

/** The paths of all options, those inside of groups last. */
function pathsOf(options: object, groups: object = options): string[] {
  const inside = Object.entries(options).flatMap(([name, value]) =>
    isGroup(value) && Object.hasOwn(groups, name) && isGroup((groups as KnownOptions)[name]) ? Object.keys(value).map(key => `${name}.${key}`) : [])
  return [...Object.keys(options), ...inside]
}

function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
