import type { Manager, Migrator } from '../../../core/manager'
import type { CoreSessionOptions } from '../../../core/options'
import type { Managers } from '../../../http/managers'
import { rememberCookies } from '../../../core/testing/remembered-cookies'
import { createTestCodec } from '../../../core/testing/test-cookie'
import { readTestKey } from '../../../core/testing/test-key'
import { createTestMigrator as createMigrator } from '../../../core/testing/test-migrator'
import { isTestRun } from './test-run'

/** False for a build for tests that no test runs: it is a server like any other. */
export const isActive = import.meta.dev === true || isTestRun(environment())

const testKey = isActive ? findTestKey() : ''

/** What a test need not set; empty where none runs the server. */
export const secret = testKey && `${testKey} of servers`

const STRAY = 'This server was built for tests, as NODE_ENV or a test runner said, and no test runs it.'

/** How to go on where a secret is missing. */
export const secretRemedy = isActive ? undefined : `${STRAY} Build it again with NODE_ENV=production, and set NITRO_SESSION_SECRET (in Nuxt also NUXT_SESSION_SECRET) to at least 32 random characters.`

const codec = testKey ? createTestCodec(testKey) : undefined

/** Says once what kind of server this is, where it may be a mistake. */
export function tellKind(): void {
  if (!isActive)
    console.warn(`[unsession] ${STRAY} It takes no sessions of tests. Build it again with NODE_ENV=production.`)
}

/** Takes the sessions that tests make up, besides those of another package. */
export function createTestMigrator(own: Migrator | undefined): Migrator | undefined {
  return codec ? createMigrator(codec, own, tellForeign) : own
}

/** Managers whose sessions go on for clients that send the headers of a test again and again. */
export function withMemory({ get }: Managers): Managers {
  const known = new WeakMap<Manager, Manager>()
  const remember = (manager: Manager): Manager => {
    const remembering = known.get(manager) ?? (codec ? rememberCookies(manager, codec) : manager)
    known.set(manager, remembering)
    return remembering
  }
  return { get: (overrides?: CoreSessionOptions) => remember(get(overrides)) }
}

let hasTold = false

function tellForeign(): void {
  if (!hasTold)
    console.warn('[unsession] The cookie of a test was ignored: another user or another machine runs this server than made the cookie, or the key in the temporary folder is a new one. Let the same user run the server and the tests, and start it again.')
  hasTold = true
}

/** Empty where there is none; then the test is told why, which reads it too. */
function findTestKey(): string {
  try {
    return readTestKey()
  }
  catch {
    return ''
  }
}

function environment(): Record<string, string | undefined> {
  try {
    // Not by its full name, which bundlers replace.
    const { env } = globalThis.process
    return { ...env }
  }
  catch {
    return {}
  }
}
