import type { OldSession, OldToken, SessionMigration } from './migration'
import type { RejectReason } from '../types'
import { isSessionError } from '../errors'
import { type Action, storageError } from '../stores/attempt'

/**
 * A migration that an app may have written itself, held to what requests rely on: a cookie that it
 * fails at is nobody's, since anybody can send any, and whatever else fails is a `STORAGE_ERROR`.
 */
export function guardMigration(migration: SessionMigration): SessionMigration {
  return {
    ...migration,
    recognize(value, readCookie) {
      let token: OldToken | undefined
      try {
        token = migration.recognize(value, readCookie)
      }
      catch {
        // Its message may hold the cookie.
      }
      return token && { names: token.names, open: () => failing('reading', async () => guardSession(await token.open())) }
    },
  }
}

function guardSession(old: OldSession | RejectReason | undefined): OldSession | RejectReason | undefined {
  return typeof old === 'object' && old.end ? { ...old, end: () => failing('removing', () => old.end!()) } : old
}

async function failing<T>(action: Action, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  }
  catch (cause) {
    throw isSessionError(cause) ? cause : storageError(action, cause)
  }
}
