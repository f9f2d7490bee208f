import { defineConfig } from 'vitest/config'

/**
 * Time ends nothing but what hangs: a busy machine may be many times as slow as a free one, and
 * none of these limits may be what such a test fails by.
 */
const patient = { testTimeout: 300_000, hookTimeout: 900_000, expect: { poll: { timeout: 60_000 } } }

export default defineConfig({
  test: {
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
          globalSetup: ['test/support/package.ts'],
          // Servers and builds share the machine's cores.
          maxWorkers: 2,
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
