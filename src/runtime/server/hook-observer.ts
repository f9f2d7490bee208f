import type { SessionObserver } from '../../core/ports'
import type { RejectReason, Session, SessionEventName } from '../../core/types'
import type { ServerApp, ServerEvent } from './app'
import { warnOfForeignCookie } from '../../http/foreign-cookie'

const FOREIGN_REMEDY = 'Give this one a name of its own: `session: { cookie: { name: \'my-app\' } }`, or NITRO_SESSION_COOKIE_NAME (in Nuxt also NUXT_SESSION_COOKIE_NAME).'

/** Tells the hooks of the app; one that fails is logged as Nitro logs it and fails nothing. */
export class HookObserver implements SessionObserver {
  readonly #app: ServerApp
  readonly #event: ServerEvent

  constructor(app: ServerApp, event: ServerEvent) {
    this.#app = app
    this.#event = event
  }

  get isListening(): boolean {
    return ['session:loaded', 'session:expired', 'session:rejected'].some(name => hasListeners(this.#app, name))
  }

  session(name: SessionEventName, session: Session): Promise<void> | undefined {
    return this.#call(`session:${name}`, { session })
  }

  rejected(reason: RejectReason, foreign?: string): Promise<void> | undefined {
    if (import.meta.dev && foreign)
      warnOfForeignCookie(foreign, FOREIGN_REMEDY)
    return this.#call('session:rejected', { reason })
  }

  #call(name: string, context: object): Promise<void> | undefined {
    return hasListeners(this.#app, name) ? this.#callHooks(name, context) : undefined
  }

  async #callHooks(name: string, context: object): Promise<void> {
    const event = this.#event
    try {
      await this.#app.hooks.callHook(name, { event, ...context })
    }
    catch (error) {
      this.#app.captureError(error as Error, { event, tags: ['session'] })
    }
  }
}

/** False when no hook of that name is there: neither version of hookable tells but by what it calls. */
function hasListeners({ hooks }: ServerApp, name: string): boolean {
  const { _hooks: callbacks } = hooks as { _hooks?: Record<string, unknown[] | undefined> }
  return callbacks === undefined || (callbacks[name]?.length ?? 0) > 0
}
