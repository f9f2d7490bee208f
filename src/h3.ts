import type { SocketHooks } from './http/sockets/upgrade'
import type { SessionEvent } from './adapters/event'
import type { DefaultData, Session } from './core/types'
import type { RequestSession } from './core/session/request-session'
import type { FoundSessions } from './http/found-sessions'
import type { PlainSessionOptions } from './plain/app'
import type { SessionSource } from './plain/utils'
import { isEvent, isWhole } from './adapters/event'
import { answerV1, type H3V1Event, isMock } from './adapters/h3-v1'
import { finishResponses, isV2 } from './adapters/h3-v2'
import { beginAt, called, ofUser, type Site, siteOf } from './core/calls/caller'
import { EventSessions } from './http/event-sessions'
import { sessionsOf, sessionsOwnedBy, setSessions } from './http/find-sessions'
import { refuseCached } from './http/found-sessions'
import { flushAfter } from './http/flush-after'
import { assertOptions, notWhole } from './http/misuse'
import { provideSocketSessions } from './http/sockets/upgrade'
import { loadSession } from './http/utils'
import { managerOf, plainAppOf } from './plain/app'
import { logError, PlainHost, toErrorResponse } from './plain/host'

// With the root of the package in the program, `declare module 'unsession'` in an app finds what
// it augments.
export type {} from './nitro'
export type { SessionEvent } from './adapters/event'
export { isSessionError, SessionError, type SessionErrorCode } from './core/errors'
export { createUnstorageStore, type UnstorageDriver } from './core/stores/builtin-driver'
export { fromCookieSession, type CookieSessionOptions } from './core/migration/cookie-session'
export { fromExpressSession, type ExpressSessionOptions } from './core/migration/express-session'
export { fromH3Session, type H3SessionOptions } from './core/migration/h3-session'
export { fromIronSession, type IronSessionOptions } from './core/migration/iron-session'
export type { OldCookieOptions, OldSession, OldToken, SessionMigration } from './core/migration/migration'
export { signCookie, unsignCookie } from './core/cookie/signed-value'
export type { DeepReadonly, FlashMessages, RegenerateOptions, Session, SessionData, SessionPatch, SessionStore } from './core/types'
export type { PlainSessionOptions as SessionOptions } from './plain/app'
export { clearSession, destroySession, getSession, regenerateSession, requireSession, type SessionSource, updateSession } from './plain/utils'
export { flash } from './http/utils'

/**
 * The session of a request, loaded once. Reading it creates nothing. For a WebSocket each call
 * gives it as it is stored now.
 *
 * @param event an event of h3 v1 or h3 v2; in hooks of {@link socketSessions} the request or the peer
 * @param options those of `sessionMiddleware`, or else the first ones of a request, are what the
 * other utils work with. Options without a `secret` are laid over them, for a second session:
 * `{ cookie: { name: 'cart' } }`
 * @throws SessionError `CONFIG_ERROR` for options that are not valid, `STORAGE_ERROR` when storage
 * cannot be read, `CACHED_RESPONSE` inside a cached handler
 */
export async function useSession<T extends object = DefaultData>(event: SessionSource, options?: PlainSessionOptions<T>): Promise<Session<T>> {
  let site: Site | undefined
  try {
    assertOptions(options, ' In place of `password`, options have a `secret`.')
    if (options && isEvent(event))
      provideSessions(event, options, 'await useSession(event, options)')
    const loading = loadSession(event, options)
    if (loading instanceof Promise)
      site = siteOf(useSession)
    const session = await loading
    if (options?.generate)
      session.begin(ofUser(options.generate))
    return session.handle as unknown as Session<T>
  }
  catch (error) {
    throw beginAt(error, useSession, site)
  }
}

/** Loads sessions for all handlers behind it, and lets their responses wait until all is stored. */
export interface SessionMiddleware {
  (event: SessionEvent, next?: () => unknown): Promise<unknown>
  /** Lets h3 v1 take it as it is. */
  readonly __is_handler__: true
  /**
   * For h3 v1 where responses are not those of Node (`toWebHandler`, workers):
   * `createApp(sessions.hooks)` makes them wait as well.
   */
  readonly hooks: {
    onBeforeResponse(event: SessionEvent): Promise<void>
    onError(error: Error, event: SessionEvent): Promise<void>
    onAfterResponse(event: SessionEvent): Promise<void>
  }
}

/**
 * One line for a whole app, of h3 v1 or h3 v2: `app.use(sessionMiddleware(options))`. The session
 * of a request that carries its cookie is loaded before the handlers run, so that `getSession`
 * and `flash` are synchronous.
 *
 * @throws SessionError `CONFIG_ERROR` with all problems of the options at once
 */
export function sessionMiddleware(options: PlainSessionOptions): SessionMiddleware {
  called(sessionMiddleware, () => plainAppOf(options))
  const sessions = async (event: SessionEvent, next?: () => unknown): Promise<unknown> => {
    const isFirst = !(isEvent(event) && sessionsOf(event)?.has(event))
    const found = provideSessions(event, options, 'sessions(event)', next !== undefined)
    // A failure is remembered and thrown when the session is first used: other handlers still answer.
    const loading = found.load(event, options)
    if (loading)
      await loading.catch(() => {})
    if (options.generate)
      await begin(found.open(event, options), options.generate)
    return next && isFirst && found instanceof EventSessions ? flushAfter(found, next) : undefined
  }
  return Object.assign(sessions, { __is_handler__: true as const, hooks: HOOKS })
}

/** Gives a visitor without a session the first data. */
async function begin(session: RequestSession, generate: () => object): Promise<void> {
  await session.load().catch(() => {})
  if (session.isLoaded)
    session.begin(generate)
}

/** What makes the responses of h3 v1 wait; those of Node do so by themselves. */
const HOOKS: SessionMiddleware['hooks'] = {
  onBeforeResponse: async event => unheldSessionsOf(event)?.flush(),
  // A hook that fails while h3 handles an error leaves the request without an answer.
  onError: async (_, event) => unheldSessionsOf(event)?.flush()?.catch(cause => answerV1(event as H3V1Event, toErrorResponse(cause))),
  async onAfterResponse(event) {
    const sessions = unheldSessionsOf(event)
    await sessions?.flush()?.catch(logError)
    sessions?.finish()
  },
}

function unheldSessionsOf(event: SessionEvent): EventSessions | undefined {
  return !isV2(event) && isMock(event.node.res) ? sessionsOwnedBy(event) : undefined
}

/**
 * Gives sessions to the hooks of a WebSocket:
 * `defineWebSocketHandler(socketSessions(options, { open(peer) {} }))`. The cookie of a session
 * that `upgrade` begins or changes goes out with its answer.
 *
 * @param options those of `sessionMiddleware`
 * @param hooks those of crossws
 * @throws SessionError `CONFIG_ERROR` with all problems of the options at once
 */
export function socketSessions<H extends object>(options: PlainSessionOptions, hooks: H): H {
  const app = called(socketSessions, () => plainAppOf(options))
  return provideSocketSessions(hooks as SocketHooks, {
    sessionsOf() {
      app.startCleanup()
      return { manager: own => managerOf(app, own) }
    },
    report: (_, error) => toErrorResponse(error),
  }) as H
}

/** The sessions of an event, which the first to ask for them configures. */
function provideSessions(event: SessionEvent, options: PlainSessionOptions, call: string, isAwaited = false): FoundSessions {
  if (!isWhole(event))
    throw notWhole(call)
  const existing = sessionsOf(event)
  if (existing?.has(event))
    return existing
  if (isCachedByNitro(event.context))
    refuseCached()
  const app = plainAppOf(options)
  app.startCleanup()
  if (isV2(event) && event.app)
    finishResponses(event.app)
  const sessions = new EventSessions(new PlainHost(event, app, isAwaited))
  setSessions(event, sessions)
  return sessions
}

/** What Nitro leaves in the context of a cached handler; apps may have a cache of their own there. */
function isCachedByNitro(context: { cache?: unknown }): boolean {
  return Object.hasOwn(Object(context.cache), 'options')
}
