import type { Nitro } from './nitro'
import { hasRunner, isTestBuild } from '../runtime/server/testing/test-run'

/**
 * In development, and where a test builds the server: code that takes the sessions which tests make
 * up (`unsession/test`). No other build holds any of it, and none a key or a secret.
 */
export function addTesting({ options }: Nitro, dir: string): void {
  const isForTests = !options.dev && isTestBuild(process.env)
  if (isForTests && !hasRunner(process.env))
    console.warn('[unsession] NODE_ENV is `test`, so this build is for tests: elsewhere it needs a secret, and takes no sessions of tests. Build with NODE_ENV=production for production.')
  options.virtual['#unsession/testing'] = options.dev || isForTests
    ? `export * as testing from ${JSON.stringify(`${dir}/index`)}`
    : 'export const testing = undefined'
}
