import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readTestKey } from '../../src/core/testing/test-key'
import { isTestBuild, isTestRun } from '../../src/runtime/server/testing/test-run'

describe('what the environment says of a build and of a server', () => {
  it.each([
    ['a shell', {}, false, false],
    ['a CI image with TEST', { TEST: '1' }, false, false],
    ['a build for production where TEST is set', { NODE_ENV: 'production', TEST: '1' }, false, false],
    ['a build for production in a test', { NODE_ENV: 'production', VITEST: 'true' }, false, true],
    ['development', { NODE_ENV: 'development' }, false, false],
    ['NODE_ENV=test', { NODE_ENV: 'test' }, true, true],
    ['vitest', { NODE_ENV: 'test', TEST: 'true', VITEST: 'true' }, true, true],
    ['Jest', { JEST_WORKER_ID: '1' }, true, true],
    ['Playwright', { TEST_WORKER_INDEX: '0' }, true, true],
    ['the test runner of Node', { NODE_TEST_CONTEXT: 'child-v8' }, true, true],
    ['an empty variable', { NODE_ENV: '', TEST: '', VITEST: '' }, false, false],
  ])('%s', (_, env, build, run) => {
    expect([isTestBuild(env), isTestRun(env)]).toEqual([build, run])
  })
})

describe('the key of tests', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'unsession-key-'))
    vi.stubEnv('TMPDIR', dir)
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    rmSync(dir, { recursive: true })
  })
  const file = (): string => join(dir, readdirSync(dir)[0]!)

  it('is made once, at random, and only its user can read it', () => {
    const key = readTestKey()
    expect(key).toMatch(/^[\w-]{43}$/)
    expect(readTestKey()).toBe(key)
    expect(readdirSync(dir)).toHaveLength(1)
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    rmSync(file())
    expect(readTestKey()).not.toBe(key)
  })

  it('is refused where others can read or write it', () => {
    readTestKey()
    chmodSync(file(), 0o644)
    expect(() => readTestKey()).toThrow('Remove it')
    writeFileSync(file(), 'known to others')
    expect(() => readTestKey()).toThrow('Remove it')
  })
})
