import type { RequestSession } from '../../../../src/core/request-session'
import type { RegenerateOptions, Session } from '../../../../src/core/types'
import type { Browser } from '../app'
import type { WalkExchange } from './exchange'

/** What a handler does with its session. `key` names what is changed. */
export interface Operation {
  name: 'set' | 'delete' | 'clear' | 'flash' | 'readFlash' | 'update' | 'updateByFunction' | 'updateNothing' | 'regenerate' | 'destroy' | 'reload' | 'save' | 'setLifetime' | 'read'
  key: string
  /** For `regenerate`. */
  options: RegenerateOptions
  /** For `regenerate`: false for one without a patch. */
  hasPatch: boolean
}

/** A request of the walk: what it asked for, and what must come of it. */
export class WalkRequest {
  status: 'open' | 'ending' | 'ended' = 'open'
  isLoaded = false
  /** True when a storage operation of this request failed: then what it left is not known. */
  hasFailed = false
  /** How often the request ended its session. */
  generation = 0
  /** The generation in which a value was given, by value. */
  readonly values = new Map<unknown, number>()
  /** What the session must hold in the end, by key; of keys that are missing nothing is known. */
  data = new Map<string, unknown>()
  flash = new Map<string, unknown>()
  /** The keys of updates that have not ended: they are made on top of what is changed meanwhile. */
  readonly updating: string[] = []
  /** How many changes were asked for. */
  changes = 0
  /** Calls of `regenerate` that drop something and have not ended: they may wait, and drop what is changed meanwhile. */
  dropping = 0
  /** What hooks were told, with the id. */
  readonly told: { name: string, id: string }[] = []
  readonly pending = new Set<Promise<unknown>>()
  /** How often hooks acted: they may call themselves. */
  acts = 0
  regenerations = 0
  destructions = 0
  writes = 0

  constructor(
    readonly number: number,
    readonly browser: Browser,
    readonly exchange: WalkExchange,
    readonly request: RequestSession,
    /** The id that it came with. */
    readonly arrivedId: string | undefined,
  ) {}

  get session(): Session {
    return this.request.handle
  }

  /** Notes what the handler left under a key. */
  note(values: 'data' | 'flash', key: string, value: unknown): void {
    if (this.dropping > 0 || (values === 'data' && this.updating.includes(key)))
      this[values].delete(key)
    else
      this[values].set(key, value)
  }

  /** Nothing is known any more of what the session must hold. */
  forget(): void {
    this.data = new Map()
    this.flash = new Map()
  }
}
