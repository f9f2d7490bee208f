import type { H3Event } from 'h3'
import type { SessionMode } from 'unsession'

/** The session options that the demo shows, as the environment may have changed them. */
export function getSessionOptions(event: H3Event): { mode: SessionMode, cookie: { name: string } } {
  return useRuntimeConfig(event).session as { mode: SessionMode, cookie: { name: string } }
}
