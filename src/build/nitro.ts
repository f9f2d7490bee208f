import type { SessionOptions } from '../runtime/server/types'

/** What the module uses of Nitro while it builds; that of both major versions fits. */
export interface Nitro {
  meta?: { majorVersion?: number }
  options: NitroOptions
  hooks: object
}

export interface NitroOptions {
  session?: SessionOptions
  preset: string
  dev: boolean
  static?: boolean
  rootDir: string
  runtimeConfig: object
  plugins: string[]
  scanDirs: string[]
  virtual: Record<string, string | (() => string | Promise<string>)>
  storage: Record<string, object>
  devStorage: Record<string, object>
  tasks: Record<string, { handler?: string, description?: string }>
  scheduledTasks?: Record<string, string | string[]>
  experimental: { tasks?: boolean, websocket?: boolean, envExpansion?: boolean }
  /** Of Nitro 3. */
  features?: { websocket?: boolean }
  framework: { name?: string }
  handlers: { route?: string, handler: string }[]
  routeRules: Record<string, object>
  alias: Record<string, string>
}

/** The drivers that unstorage has. */
export interface Drivers {
  names: readonly string[]
  /** The packages that one of them needs. */
  librariesOf(driver: string): string[]
  /** True for a package that the server can have. */
  hasPackage(name: string): boolean
}

/** What the major versions of Nitro do differently while they build. */
export interface NitroMajor {
  /** The folder of the server code that only this one can run. */
  readonly dir: 'nitro2' | 'nitro3'
  /** Makes code a part of the server that would stay in node_modules, where Nitro's virtual modules are not found. */
  keepInServer(nitro: Nitro, paths: string[]): void
  /** Lets the server find the route rules of ours. */
  keepRouteRules?(nitro: Nitro): void
  /** Lets server code use the utils without importing them. */
  addAutoImports(nitro: Nitro, from: string): void | Promise<void>
  findDrivers(nitro: Nitro): Promise<Drivers>
  /** The code that exports an unstorage driver of that name as `createDriver`. */
  writeDriverExport(nitro: Nitro, name: string): Promise<string>
}
