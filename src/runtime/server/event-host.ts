import type { Manager } from '../../core/manager'
import type { SessionObserver } from '../../core/ports'
import type { ErrorResponse } from '../../http/error-response'
import type { EventHost } from '../../http/event-sessions'
import type { EventExchange, ResponseHost, ResponseSessions } from '../../http/response-cookies'
import type { ServerEvent } from './app'
import type { ServerSessions } from './sessions'
import { reportUnsaved } from './error-response'
import { isCachedByHost } from './host-cache'
import { HookObserver } from './hook-observer'

/** An event of Nitro, as its sessions and their response see it. */
export abstract class NitroHost<E extends NitroEvent> implements EventHost, ResponseHost {
  readonly owner: E
  protected readonly server: ServerSessions
  #observer: SessionObserver | undefined

  constructor(server: ServerSessions, owner: E) {
    this.server = server
    this.owner = owner
  }

  abstract cookieHeader(): string | undefined
  abstract createExchange(sessions: ResponseSessions): EventExchange
  abstract onFailure(error: unknown): ErrorResponse

  get isShared(): boolean {
    return import.meta.prerender === true
  }

  get observer(): SessionObserver {
    return this.#observer ??= new HookObserver(this.server.app, this.owner)
  }

  manager(overrides?: object): Manager {
    return this.server.managersOf(this.owner).get(overrides)
  }

  isCached(): boolean {
    return isCachedByHost(this.owner)
  }

  onUnsaved(error: unknown): void {
    reportUnsaved(this.server.app, this.owner, error)
  }

  waitUntil(saved: Promise<void>): void {
    this.owner.waitUntil?.(saved)
  }
}

interface NitroEvent extends ServerEvent {
  waitUntil?(promise: Promise<unknown>): void
}
