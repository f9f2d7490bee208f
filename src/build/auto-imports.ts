/** The server utils that can be used without importing them. */
export const UTILS = ['useSession', 'getSession', 'requireSession', 'updateSession', 'regenerateSession', 'destroySession', 'clearSession', 'flash']
