import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { defineBuildConfig } from 'unbuild'
import packageJson from './package.json' with { type: 'json' }

/** File to file, so that the package has the tree of the sources. */
export default defineBuildConfig({
  entries: [{ builder: 'mkdist', input: './src', outDir: './dist', format: 'esm', ext: 'js', declaration: true }],
  hooks: {
    async 'mkdist:done'({ options: { rootDir } }) {
      const dist = join(rootDir, 'dist')
      await completeDeclarations(dist)
      await includeNoble(rootDir, dist)
    },
  },
})

/** A relative import of a declaration, without its ending. */
const RELATIVE = /(from |import\()(['"])(\.{1,2}\/[^'"]+?)(?:\.js)?\2/g

/** Apps of Nuxt and Nitro generate types that name these files. */
const NAMED_BY_APPS = /^runtime\/(?:app|server\/routes)\//

/**
 * mkdist completes relative imports in code but not in declarations, where node16 resolution asks
 * for it too. Declarations that no compiler reaches are removed, also because Nitro scans folders
 * and would take one for a middleware.
 */
async function completeDeclarations(dist: string): Promise<void> {
  const files = (await readdir(dist, { recursive: true })).filter(file => file.endsWith('.d.ts'))
  const texts = new Map(await Promise.all(files.map(async file => [file, await readFile(join(dist, file), 'utf8')] as const)))
  const reached = new Set<string>()
  const reach = (file: string): void => {
    if (reached.has(file))
      return
    reached.add(file)
    for (const [,,, path = ''] of texts.get(file)!.matchAll(RELATIVE))
      reach(`${join(dirname(file), path)}.d.ts`)
  }
  Object.values(packageJson.exports).forEach(entry => typeof entry === 'object' && reach(relative('dist', entry.types)))
  files.filter(file => NAMED_BY_APPS.test(file)).forEach(reach)
  await Promise.all(files.map(file => reached.has(file)
    ? writeFile(join(dist, file), texts.get(file)!.replace(RELATIVE, '$1$2$3.js$2'))
    : rm(join(dist, file))))
}

/**
 * Puts the files of noble that the code imports beside it, as they were published: 0.2 MB, where
 * the packages would be 1.2 MB in every app. A package.json tells scanners the name and the version.
 */
async function includeNoble(rootDir: string, dist: string): Promise<void> {
  const included = new Set<string>()
  const include = async (path: string): Promise<void> => {
    if (included.has(path))
      return
    included.add(path)
    const source = join(rootDir, 'node_modules/@noble', path)
    await cp(source, join(dist, 'noble', path))
    const imports = [...(await readFile(source, 'utf8')).matchAll(/from ["']\.\/([^"']+)["']/g)]
    await Promise.all(imports.map(([, name = '']) => include(join(dirname(path), name))))
  }
  // What another build put there names itself in its comments.
  const files = (await readdir(dist, { recursive: true })).filter(file => file.endsWith('.js') && !file.startsWith('noble'))
  for (const file of files) {
    const text = await readFile(join(dist, file), 'utf8')
    const imports = /from (["'])@noble\/([^"']+)\1/g
    for (const [,, path = ''] of text.matchAll(imports)) {
      await include(path)
      await include(join(dirname(path), 'LICENSE'))
      await writeManifest(rootDir, dist, dirname(path))
    }
    const toRoot = relative(dirname(file), '.') || '.'
    await writeFile(join(dist, file), text.replace(imports, `from $1${toRoot}/noble/$2$1`))
  }
}

/** What names the package of a folder; "exports" and the like mean nothing there. */
async function writeManifest(rootDir: string, dist: string, folder: string): Promise<void> {
  const { name, version, license, type, sideEffects } = JSON.parse(await readFile(join(rootDir, 'node_modules/@noble', folder, 'package.json'), 'utf8'))
  await writeFile(join(dist, 'noble', folder, 'package.json'), `${JSON.stringify({ name, version, license, type, sideEffects }, undefined, 2)}\n`)
}
