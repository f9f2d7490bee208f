import type { DefaultFlash } from '../core/types'
import { toChanges, toStorableValue } from '../core/record/value'

/** Messages by key. */
export type TestFlash = { [K in keyof DefaultFlash]?: DefaultFlash[K] }

/** What a session that a test makes up holds. */
export interface TestContent {
  data: Record<string, unknown>
  flash: Record<string, unknown>
}

/**
 * The content as an app would keep it.
 *
 * @throws SessionError `INVALID_VALUE` for a value that no session can keep
 */
export function toContent(data: object, flash: object = {}): TestContent {
  const kept = [...toChanges(data)].filter(([, value]) => value !== undefined)
  const messages = Object.entries(flash).filter(([, message]) => message !== undefined)
  return {
    data: Object.fromEntries(kept),
    flash: Object.fromEntries(messages.map(([key, message]) => [key, toStorableValue(message, key)])),
  }
}
