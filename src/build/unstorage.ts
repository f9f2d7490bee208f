import { pathToFileURL } from 'node:url'

/** What builds use of unstorage. */
export interface Unstorage {
  builtinDrivers: Readonly<Record<string, string>>
  /** The packages that each driver loads, by the option that takes it. Of v2 only. */
  builtinDriverDependencies?: Readonly<Record<string, Readonly<Record<string, Library>>>>
}

/** A package that a driver loads. */
export interface Library {
  name: string
  import?: string
  optional?: boolean
}

/** @param path the entry of the unstorage that Nitro has, which neither this package nor the app need see */
export async function loadUnstorage(path: string): Promise<Unstorage> {
  return await import(pathToFileURL(path).href) as Unstorage
}
