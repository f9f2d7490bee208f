import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], sequence: { groupOrder: 0 } },
      },
      {
        test: {
          name: 'e2e',
          sequence: { groupOrder: 2 },
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/package.ts'],
          testTimeout: 60_000,
          hookTimeout: 300_000,
          // Servers and builds share the machine's cores.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'types',
          sequence: { groupOrder: 1 },
          include: ['test/types/**/*.test.ts'],
          globalSetup: ['test/support/package.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'package',
          sequence: { groupOrder: 3 },
          include: ['test/package/**/*.test.ts'],
          globalSetup: ['test/support/tarball.ts'],
          testTimeout: 180_000,
          // Whole apps are installed and built.
          hookTimeout: 600_000,
          maxWorkers: 1,
        },
      },
      {
        test: {
          name: 'runtimes',
          sequence: { groupOrder: 4 },
          include: ['test/runtimes/**/*.test.ts'],
          globalSetup: ['test/support/tarball.ts'],
          // The first test of an app installs and builds it.
          testTimeout: 600_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
