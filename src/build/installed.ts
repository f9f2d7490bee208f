import { existsSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { join } from 'node:path'

/** Looks for packages as code in the project's folder finds them. */
export function requireFrom(rootDir: string): NodeRequire {
  return createRequire(join(rootDir, 'package.json'))
}

/** True for a package that code there can import, also where it has nothing for `require`. */
export function isInstalled(from: NodeRequire, name: string): boolean {
  return isBuiltin(name) || (from.resolve.paths(name)?.some(path => existsSync(join(path, name))) ?? false) || canResolve(from, name)
}

/** For package managers that have no folder of packages. */
function canResolve(from: NodeRequire, name: string): boolean {
  try {
    from.resolve(name)
    return true
  }
  catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED'
  }
}

/** The package that an import names: `@scope/name` of `@scope/name/path`. */
export function packageOf(specifier: string): string {
  return specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}
