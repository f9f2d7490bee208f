import type { TokenCodec } from '../cookie/token'
import type { Migrator } from '../manager'
import type { SessionMigration } from '../migration/migration'
import type { TestSession } from '../migration/take-over'
import { normalizeValue } from '../cookie/header'
import { createMigrator } from '../migration/old-cookie'
import { TEST_COOKIE } from './test-cookie'

/** For so long storage remembers that a session of a test began; tests are over by then. */
const REMEMBERED_MS = 24 * 60 * 60 * 1000

/**
 * Begins the sessions that tests bring along, each at its first request, and takes over those of
 * another package as before.
 *
 * @param own of the app, where it has one
 * @param onForeign is told of a cookie that another key sealed
 */
export function createTestMigrator(codec: TokenCodec, own: Migrator | undefined, onForeign: () => void): Migrator {
  // Requests join however late they come: nothing but storage knows when a server starts again.
  const tests = createMigrator(readTestCookies(codec, onForeign), Infinity)
  return {
    open(destination) {
      const openTest = tests.open(destination)
      const openOwn = own?.open(destination)
      return (exchange) => {
        const test = openTest(exchange)
        return openOwn && !test.isCarried ? openOwn(exchange) : test
      }
    },
    migrate: tests.migrate,
  }
}

function readTestCookies(codec: TokenCodec, onForeign: () => void): SessionMigration {
  return {
    cookie: { name: TEST_COOKIE },
    recognize(value) {
      const opened = codec.read(normalizeValue(value) ?? '')
      if (opened === 'signature')
        onForeign()
      if (typeof opened === 'string')
        return undefined
      const { id, record } = opened.content
      const open = async (): Promise<TestSession> => ({ id, data: record!.data, flash: record!.flash, expiresAt: Date.now() + REMEMBERED_MS })
      return { names: [TEST_COOKIE], open }
    },
  }
}
