import type { TestSpecification } from 'vitest/node'
import { defineConfig } from 'vitest/config'
import { BaseSequencer } from 'vitest/node'

/**
 * Time ends nothing but what hangs: a busy machine may be many times as slow as a free one, and
 * none of these limits may be what such a test fails by.
 */
const patient = { testTimeout: 300_000, hookTimeout: 900_000, expect: { poll: { timeout: 60_000 } } }

/** The files that take longest: begun last, they would run alone at the end. */
const SLOW = ['playground', 'alice-and-bob', 'file-system', 'server-size', 'app/flash', 'many-processes', 'moving', 'moving-nuxt-auth-utils', 'drivers', 'bad-config', 'dev', 'devtools', 'start']

/** By itself vitest knows what is slow only where it has run before. */
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification): number => {
      const index = SLOW.findIndex(name => moduleId.endsWith(`/test/e2e/${name}.test.ts`))
      return index === -1 ? SLOW.length : index
    }
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b))
  }
}

export default defineConfig({
  test: {
    reporters: ['default', './test/support/slowest.ts'],
    sequence: { sequencer: SlowFirst },
    projects: [
      {
        test: { ...patient, name: 'unit', include: ['test/unit/**/*.test.ts'], sequence: { groupOrder: 0 } },
      },
      {
        test: {
          ...patient,
          name: 'e2e',
          sequence: { groupOrder: 2 },
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/package.ts', 'test/support/builds.ts'],
          // Servers and builds share the machine's cores.
          maxWorkers: 2,
          // What builds apps is twice as fast in a process that has built one before.
          isolate: false,
        },
      },
      {
        test: {
          ...patient,
          name: 'types',
          sequence: { groupOrder: 1 },
          include: ['test/types/**/*.test.ts'],
          globalSetup: ['test/support/package.ts'],
        },
      },
      {
        test: {
          ...patient,
          name: 'package',
          sequence: { groupOrder: 3 },
          include: ['test/package/**/*.test.ts'],
          globalSetup: ['test/support/tarball.ts'],
          // Whole apps are installed and built.
          hookTimeout: 1_800_000,
          maxWorkers: 1,
        },
      },
      {
        test: {
          ...patient,
          name: 'runtimes',
          sequence: { groupOrder: 4 },
          include: ['test/runtimes/**/*.test.ts'],
          globalSetup: ['test/support/tarball.ts'],
          // The first test of an app installs and builds it.
          testTimeout: 1_800_000,
        },
      },
    ],
  },
})
