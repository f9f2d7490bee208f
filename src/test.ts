// With the root of the package in the program, `declare module 'unsession'` in an app finds what
// it augments.
export type {} from './nitro'
export type { FlashMessages, SessionData } from './core/types'
export { createSessionEvent, type H3Library, type SessionEventOptions, sessionOf, type SessionSnapshot } from './test/event'
export { sessionCookies, type SessionCookiesOptions, sessionHeaders, type SessionHeadersOptions, type TestCookie } from './test/headers'
export { mountSession } from './test/mount'
