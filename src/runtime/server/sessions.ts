import type { BagOptions } from '../../http/bag'
import type { Managers } from '../../http/managers'
import type { SessionObserver } from '../../core/ports'
import type { RejectReason, Session, SessionEventName } from '../../core/types'
import type { ServerApp, ServerEvent } from './app'
import { hasCleanupTimer, isConfiguredPerRequest } from '#unsession/host'
import { rememberCallers } from '../../core/caller'
import { isSessionError } from '../../core/errors'
import { explainWrites } from '../../core/explain-writes'
import { startCleanupTimer } from '../../http/cleanup-timer'
import { warnOfForeignCookie } from '../../http/foreign-cookie'
import { provideCleanup } from './cleanup'
import { createNitroManagers } from './managers'
import { releaseStorage } from './storage'

const FOREIGN_REMEDY = 'Give this one a name of its own: `session: { cookie: { name: \'my-app\' } }`, or NITRO_SESSION_COOKIE_NAME (in Nuxt also NUXT_SESSION_COOKIE_NAME).'

/** The sessions of one server. */
export type SessionsOf = (event: ServerEvent) => Pick<BagOptions, 'manager' | 'observer'>

/**
 * Starts what all requests share: the config, which is checked, the storage and the clean-up.
 *
 * @throws SessionError `CONFIG_ERROR`
 */
export function startSessions(nitroApp: ServerApp): SessionsOf {
  if (import.meta.dev) {
    rememberCallers()
    explainWrites()
  }
  let managers: Managers | undefined
  if (!isConfiguredPerRequest)
    managers = stopOnBadConfig(createNitroManagers)
  // Not kept: without a request a worker does not know its environment.
  const cleanup = provideCleanup(nitroApp, async signal => (managers ?? createNitroManagers()).get().sweep(signal))
  nitroApp.hooks.hook('close', releaseStorage)
  if (hasCleanupTimer && !import.meta.prerender)
    nitroApp.hooks.hook('close', startCleanupTimer(cleanup, error => nitroApp.captureError(error as Error, { tags: ['session'] })))
  return event => ({
    manager: overrides => (managers ??= createNitroManagers(event)).get(overrides),
    observer: new HookObserver(nitroApp, event),
  })
}

/** A bad configuration stops the start. Its message says everything; a stack would only hide it. */
function stopOnBadConfig(create: () => Managers): Managers {
  try {
    return create()
  }
  catch (error) {
    if (isSessionError(error))
      error.stack = `${error.name}: ${error.message}`
    throw error
  }
}

/** Tells the hooks of the app; one that fails is logged as Nitro logs it and fails nothing. */
class HookObserver implements SessionObserver {
  readonly #app: ServerApp
  readonly #event: ServerEvent

  constructor(app: ServerApp, event: ServerEvent) {
    this.#app = app
    this.#event = event
  }

  get isListening(): boolean {
    return ['session:loaded', 'session:expired', 'session:rejected'].some(name => isHeard(this.#app, name))
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
    return isHeard(this.#app, name) ? this.#callHeard(name, context) : undefined
  }

  async #callHeard(name: string, context: object): Promise<void> {
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
function isHeard({ hooks }: ServerApp, name: string): boolean {
  const { _hooks: callbacks } = hooks as { _hooks?: Record<string, unknown[] | undefined> }
  return callbacks === undefined || (callbacks[name]?.length ?? 0) > 0
}
