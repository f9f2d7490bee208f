import type * as server from './runtime/server/index'

/**
 * The server utils as names that need no import, for apps of Nitro 3 with
 * `session: { autoImports: true }`: `"types": ["unsession/auto-imports"]` in tsconfig.json.
 */
declare global {
  const useSession: typeof server.useSession
  const getSession: typeof server.getSession
  const requireSession: typeof server.requireSession
  const updateSession: typeof server.updateSession
  const regenerateSession: typeof server.regenerateSession
  const destroySession: typeof server.destroySession
  const clearSession: typeof server.clearSession
  const flash: typeof server.flash
}
