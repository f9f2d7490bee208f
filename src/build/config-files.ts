import type { Nitro } from './nitro'
import { statSync } from 'node:fs'
import { relative, resolve } from 'node:path'

/** A config, of the app or of a layer that it extends, as c12 loads it. */
export interface ConfigLayer {
  /** Of the app's own it is the name without the ending. */
  configFile?: string | undefined
  cwd?: string | undefined
  config?: object | null | undefined
}

/** The config files of Nitro that give session options, as they are called in the project. */
export function configFilesOf({ options }: Nitro): string[] {
  const { _c12: loaded } = options as { _c12?: ConfigLayer & { layers?: ConfigLayer[] } }
  return configFilesIn(loaded?.layers ?? [], loaded?.configFile, options.rootDir)
}

/**
 * The config files that give session options; that of the app where none does.
 *
 * @param main that of the app
 */
export function configFilesIn(layers: readonly ConfigLayer[], main: string | undefined, rootDir: string): string[] {
  const files = layers.filter(hasOptions).map(({ configFile = '', cwd = rootDir }) => {
    const file = resolve(cwd, configFile)
    return isFile(file) ? file : main
  })
  const given = [...new Set(files)].filter(file => file !== undefined && isFile(file))
  return (given.length > 0 ? given : [main]).flatMap(file => file && isFile(file) ? relative(rootDir, file) : [])
}

function hasOptions({ config }: ConfigLayer): boolean {
  const { session, runtimeConfig } = (config ?? {}) as { session?: unknown, runtimeConfig?: { session?: unknown } }
  return (session ?? runtimeConfig?.session) !== undefined
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}
