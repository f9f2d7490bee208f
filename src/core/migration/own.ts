import type { OldSession, OldToken, SessionMigration } from './migration'
import type { RejectReason } from '../types'
import { isSessionError } from '../errors'
import { configError } from '../resolve-options'
import { type Action, storageError } from '../stores/storage-error'
import { definedOf } from '../record/value'
import { isPromise } from '../maybe'

/**
 * A migration that an app may have written itself, held to what requests rely on: a cookie that it
 * fails at is nobody's, since anybody can send any, and whatever else fails is a `STORAGE_ERROR`.
 * Whatever is no migration as its type describes it is a `CONFIG_ERROR`.
 */
export function guardMigration(migration: SessionMigration): SessionMigration {
  // One by one: it may be an instance of a class that has getters.
  const { cookie, maxOpened } = migration
  return {
    cookie,
    ...definedOf({ maxOpened }),
    recognize(value, readCookie) {
      let token: OldToken | undefined
      try {
        token = migration.recognize(value, readCookie)
      }
      catch {
        // Its message may hold the cookie.
      }
      return token && guardToken(token, cookie.name)
    },
  }
}

function guardToken(token: OldToken, name: string): OldToken {
  if (Array.isArray(token.names) && typeof token.open === 'function')
    return { names: token.names, open: () => failing('reading', async () => guardSession(await token.open())) }
  // A rejection that nobody hears of would end the process.
  if (isPromise(token))
    token.then(undefined, () => {})
  const open = async (): Promise<never> => refuse('recognize', 'It returned something else.', 'Return `{ names, open }` or `undefined`, not a promise; what has to wait is for `open`.')
  return { names: [name], open }
}

function guardSession(old: OldSession | RejectReason | null | undefined): OldSession | RejectReason | undefined {
  if (typeof old !== 'object' || old === null)
    return old ?? undefined
  const { id, data, expiresAt } = old
  const end = old.end && (() => failing('removing', async () => old.end!()))
  // Those of several visitors would be one, and so would their sessions.
  if (id !== undefined && (typeof id !== 'string' || !id))
    refuse('id', 'It is not a text that tells visitors apart.', 'Give each session of the other package a string of its own, or no `id`.')
  if (expiresAt !== undefined && !Number.isFinite(expiresAt))
    return 'corrupt'
  return definedOf({ id, data, end, expiresAt })
}

function refuse(path: string, problem: string, remedy: string): never {
  throw configError([{ path, problem, remedy }], 'the answers of `migrate`')
}

async function failing<T>(action: Action, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  }
  catch (cause) {
    throw isSessionError(cause) ? cause : storageError(action, cause)
  }
}
