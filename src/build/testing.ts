import type { Nitro } from './nitro'
import { randomBytes } from 'node:crypto'
import { hasRunner, isTestBuild } from '../runtime/server/testing/test-run'
import { readTestKey } from './test-key'

/**
 * In development, and where a test builds the server: code that takes the sessions which tests make
 * up (`unsession/test`), and a secret, so that none has to be set. No other build holds any of it.
 *
 * @returns what the server has to know
 */
export function addTesting({ options }: Nitro, dir: string): { testKey: string, testSecret: string } {
  const isForTests = !options.dev && isTestBuild(process.env)
  if (isForTests && !hasRunner(process.env))
    console.warn('[unsession] NODE_ENV is `test`, so this build is for tests: elsewhere it needs a secret, and takes no sessions of tests. Build with NODE_ENV=production for production.')
  options.virtual['#unsession/testing'] = options.dev || isForTests
    ? `export * as testing from ${JSON.stringify(`${dir}/index`)}`
    : 'export const testing = undefined'
  return {
    testKey: isForTests ? readTestKey() : options.dev ? keyOfDevelopment() : '',
    testSecret: isForTests ? randomBytes(32).toString('base64url') : '',
  }
}

/** Developing goes on where there is none. */
function keyOfDevelopment(): string {
  try {
    return readTestKey()
  }
  catch {
    return ''
  }
}
