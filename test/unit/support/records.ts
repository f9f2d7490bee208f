import type { SessionRecord } from '../../../src/core/types'

/** An empty record that lives 1000 seconds. */
export const EMPTY_RECORD: SessionRecord = Object.freeze({ version: 1, data: {}, flash: {}, createdAt: 0, expiresAt: 1_000_000, lastSeenAt: 0 })
