import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defineBuildConfig } from 'unbuild'

/** File to file, so that the package has the tree of the sources. */
export default defineBuildConfig({
  entries: [{ builder: 'mkdist', input: './src', outDir: './dist', format: 'esm', ext: 'js', declaration: true }],
  hooks: {
    async 'mkdist:done'({ options }) {
      const dist = join(options.rootDir, 'dist')
      await addDeclarationExtensions(dist)
      // Nitro scans these folders and would take a declaration for a middleware.
      await rm(join(dist, 'runtime/server/scan/middleware/session.d.ts'))
      await rm(join(dist, 'runtime/server/devtools/scan/middleware/devtools.d.ts'))
    },
  },
})

/** mkdist completes relative imports in code but not in declarations, where node16 resolution asks for it too. */
async function addDeclarationExtensions(dist: string): Promise<void> {
  const files = await readdir(dist, { recursive: true })
  await Promise.all(files.filter(file => file.endsWith('.d.ts')).map(async (file) => {
    const text = await readFile(join(dist, file), 'utf8')
    await writeFile(join(dist, file), text.replace(/(from |import\()(['"])(\.{1,2}\/[^'"]+?)(?:\.js)?\2/g, '$1$2$3.js$2'))
  }))
}
