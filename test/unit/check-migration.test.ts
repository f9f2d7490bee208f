import type { CheckContext, Stage } from '../../src/runtime/server/check-context'
import { describe, expect, it } from 'vitest'
import { checkMigration as checkCookieSession } from '../../src/runtime/server/migration/check-cookie-session'
import { checkMigration as checkIronSession } from '../../src/runtime/server/migration/check-iron-session'
import { checkMigrate } from '../../src/runtime/server/migration/check'
import { PASSWORD } from '../support/other-packages'

const STAGES: Stage[] = ['build', 'trial', 'production']

/** The options as runtime config has them where nothing filled them in. */
const UNSET = { cookie: { name: '', path: '', domain: '' }, password: '', secret: '' }

/** What is wrong in each stage. */
function problemsOf(migrate: object): Record<Stage, string[]> {
  const check = (stage: Stage): string[] => {
    const context: CheckContext = { migrations: { 'iron-session': checkIronSession, 'cookie-session': checkCookieSession }, migrationRemedy: '', stage }
    return checkMigrate({ ...UNSET, ...migrate }, 'storage', context).map(({ path, problem }) => `${path}: ${problem}`)
  }
  return Object.fromEntries(STAGES.map(stage => [stage, check(stage)])) as Record<Stage, string[]>
}

describe('the options of a migration from iron-session', () => {
  const NO_NAME = 'migrate.cookie.name: It is missing.'
  const NO_PASSWORD = 'migrate.password: It is missing.'

  it('may be missing as long as the environment can give them, and the password in development', () => {
    expect(problemsOf({ from: 'iron-session' })).toEqual({ build: [], trial: [NO_NAME], production: [NO_NAME, NO_PASSWORD] })
    expect(problemsOf({ from: 'iron-session', password: { 1: '', 2: '' }, cookie: { name: 'app' } })).toEqual({ build: [], trial: [], production: [NO_PASSWORD] })
  })

  it.each([
    ['short', 'It has fewer than the 32 characters that iron-session demands.'],
    [{ 1: PASSWORD, 2: 'short' }, 'It has fewer than the 32 characters that iron-session demands.'],
    [{ old: PASSWORD }, 'Its ids are not whole numbers.'],
    [{ 1: 5 }, 'It is neither a string nor an object of strings by their ids.'],
    [[PASSWORD], 'It is neither a string nor an object of strings by their ids.'],
    [12345678, 'It is neither a string nor an object of strings by their ids.'],
    [true, 'It is neither a string nor an object of strings by their ids.'],
  ])('are wrong in every stage with the password %j', (password, problem) => {
    const problems = [`migrate.password: ${problem}`]
    expect(problemsOf({ from: 'iron-session', cookie: { name: 'app' }, password })).toEqual({ build: problems, trial: problems, production: problems })
  })

  it.each([PASSWORD, { 1: PASSWORD }, { 1: PASSWORD, 2: '' }, { 7: PASSWORD, 8: PASSWORD }])('are right in every stage with the password %j', (password) => {
    expect(problemsOf({ from: 'iron-session', cookie: { name: 'app' }, password })).toEqual({ build: [], trial: [], production: [] })
  })

  it('have one problem where the cookie is no object', () => {
    const problems = ['migrate.cookie: "app" is not allowed.']
    expect(problemsOf({ from: 'iron-session', cookie: 'app', password: PASSWORD })).toEqual({ build: problems, trial: problems, production: problems })
  })
})

describe('the options of a migration from cookie-session', () => {
  it('may be missing as long as the environment can give them, and in development', () => {
    expect(problemsOf({ from: 'cookie-session' })).toEqual({ build: [], trial: [], production: ['migrate.secret: It is missing.'] })
    expect(problemsOf({ from: 'cookie-session', secret: ['', ''] })).toEqual({ build: [], trial: [], production: ['migrate.secret: It is missing.'] })
  })

  it.each([5, true, { 1: 'a key' }, ['a key', 5]].map(secret => [secret]))('are wrong in every stage with the secret %j', (secret) => {
    const problems = ['migrate.secret: It is not a string.']
    expect(problemsOf({ from: 'cookie-session', secret })).toEqual({ build: problems, trial: problems, production: problems })
  })

  it.each([['a key'], [['a key', 'an older key']]])('are right in every stage with the secret %j', (secret) => {
    expect(problemsOf({ from: 'cookie-session', secret })).toEqual({ build: [], trial: [], production: [] })
  })
})
