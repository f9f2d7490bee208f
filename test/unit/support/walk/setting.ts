import type { CoreSessionOptions } from '../../../../src/core/options'
import type { Operation } from './operations'
import * as fc from 'fast-check'
import { operations } from './operations'

/** What differs between walks. */
export interface Setting {
  mode: 'storage' | 'cookie'
  encrypt: boolean
  saveUninitialized: boolean
  idleTimeout: 0 | 60
  userKey: 'user' | undefined
  /** False for a store without compare-and-set. */
  canCompare: boolean
  /** How many requests run at the same time, at most. */
  requests: number
  hooks: Partial<Record<string, Hook>>
}

/** What a hook does with the session that it is told of. */
export interface Hook {
  operation: Operation
  /** True when the hook waits for what it began. */
  isAwaited: boolean
}

const hooks: fc.Arbitrary<Setting['hooks']> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom('created', 'loaded', 'saved', 'regenerated'), fc.record({ operation: operations, isAwaited: fc.boolean() }), { minKeys: 1, maxKeys: 2 }) },
)

export const settings: fc.Arbitrary<Setting> = fc.record({
  mode: fc.constantFrom('storage', 'storage', 'storage', 'cookie'),
  encrypt: fc.boolean(),
  saveUninitialized: fc.constantFrom(false, false, true),
  idleTimeout: fc.constantFrom(0, 60),
  userKey: fc.constantFrom(undefined, 'user'),
  canCompare: fc.constantFrom(true, true, false),
  requests: fc.constantFrom(1, 2, 3),
  hooks,
})

/** More than a record, or a cookie, may hold. */
export const TOO_BIG = 5000

export function optionsOf({ mode, encrypt, saveUninitialized, idleTimeout, userKey }: Setting, secret: string | string[]): CoreSessionOptions {
  return { secret, cookie: { name: 'session' }, mode, encrypt, saveUninitialized, idleTimeout, maxAge: 300, maxBytes: 2000, ...(userKey && { userKey }) }
}
