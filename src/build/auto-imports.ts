/** The server utils that can be used without importing them. */
export const UTILS = ['useSession', 'getSession', 'updateSession', 'regenerateSession', 'destroySession', 'clearSession', 'flash']
