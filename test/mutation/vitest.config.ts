import type { TestSpecification } from 'vitest/node'
import { basename } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer } from 'vitest/node'

/** The unit tests that kill mutants, the quickest first: a mutant is dead with the first test that fails. */
const FILES = [
  'guards',
  'cookie-of',
  'versioned-map',
  'records',
  'record-size',
  'cookie-records',
  'found-cookies',
  'payload',
  'patch',
  'content',
  'state',
  'cookie',
  'cookie-scope',
  'coverage',
  'revision',
  'succession',
  'tokens',
  'values',
]

class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification): number => FILES.indexOf(basename(moduleId, '.test.ts'))
    return files.toSorted((a, b) => rankOf(a) - rankOf(b))
  }
}

export default defineConfig({
  test: {
    include: FILES.map(name => `test/unit/${name}.test.ts`),
    setupFiles: ['test/mutation/setup.ts'],
    // The files of a run share what they import; each mutant has a run of its own.
    isolate: false,
    sequence: { sequencer: InOrder },
  },
})
