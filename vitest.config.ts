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
          hookTimeout: 180_000,
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
    ],
  },
})
