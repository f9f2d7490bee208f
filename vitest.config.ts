import type { TestSpecification } from 'vitest/node'
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer } from 'vitest/node'

/**
 * Time ends nothing but what hangs: a busy machine may be many times as slow as a free one, and
 * none of these limits may be what such a test fails by.
 */
const patient = { testTimeout: 300_000, hookTimeout: 900_000, expect: { poll: { timeout: 60_000 } } }

/** The files that take longest, by their names in `test/`: begun last, they would run alone at the end. */
const SLOW = [
  'unit/walk', 'unit/held-response.property', 'unit/migrate-flood', 'unit/storage-store',
  'types/consumer', 'types/nitro', 'types/h3', 'types/nuxt',
  'e2e/playground', 'e2e/alice-and-bob', 'e2e/file-system', 'e2e/storage-trouble', 'e2e/app/flash', 'e2e/server-size', 'e2e/many-processes', 'e2e/moving',
  'e2e/bad-config', 'e2e/app/history', 'e2e/devtools', 'e2e/drivers', 'e2e/cookie-scopes', 'e2e/size', 'e2e/start', 'e2e/forgery', 'e2e/lifetimes', 'e2e/dev', 'e2e/nuxt', 'e2e/moving-nuxt-auth-utils', 'e2e/everyday-calls',
]

/** As vitest has it by itself, except that of two cores none stands idle. */
const maxWorkers = Math.max(2, availableParallelism() - 1)

/** By itself vitest knows what is slow only where it has run before. */
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification): number => {
      const index = SLOW.findIndex(name => moduleId.endsWith(`/test/${name}.test.ts`))
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
        test: {
          ...patient,
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          sequence: { groupOrder: 0 },
          maxWorkers,
          // Sooner there than processes, and as much for themselves.
          pool: 'threads',
        },
      },
      {
        test: {
          ...patient,
          name: 'e2e',
          sequence: { groupOrder: 2 },
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/package.ts', 'test/support/builds.ts'],
          // One more than two cores: a good part of the time is spent waiting, for servers, timeouts and pages.
          maxWorkers: 3,
          // What builds apps is twice as fast in a process that has built one before.
          isolate: false,
          // A build makes much that is garbage soon: with room for it, collecting takes less of the processor.
          execArgv: ['--max-semi-space-size=64'],
        },
      },
      {
        test: {
          ...patient,
          name: 'types',
          sequence: { groupOrder: 1 },
          include: ['test/types/**/*.test.ts'],
          maxWorkers,
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
