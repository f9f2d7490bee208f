import type { RecordPatch } from './patch'
import type { Limits } from './record'
import type { SessionRecord } from './types'
import { Entries } from './entries'
import { Changes, mergePatches, NO_CHANGES, patchValue } from './patch'
import { applyPatch, continueRecord, createRecord, EMPTY, isEmpty } from './record'
import { outlineBytes, recordTooBig } from './size'

/** What a new session takes over from. */
export interface Replacement {
  readonly id: string
  /** Makes what the new session starts from of the newest record. Pure: it may be called again. */
  succeed(record: SessionRecord): SessionRecord
}

/** Where a session's state comes from. */
export interface StateOrigin {
  /** The record that storage holds under this id; without it the session is new. */
  stored?: SessionRecord | undefined
  /** What a new session starts from, when it does not start empty. */
  blank?: SessionRecord
  /** See {@link SessionState.replaces}. */
  replaces?: Replacement | undefined
  changes?: RecordPatch
  /** See {@link SessionState.isAnnounced}. */
  isAnnounced?: boolean
  /** True for a session that is kept without data and messages. */
  mayBeEmpty?: boolean
  /** How many bytes of JSON the record may be. */
  maxBytes?: number
}

/** A session in memory: what was loaded, and what changed since. Does no I/O. */
export class SessionState {
  readonly id: string
  /** True when the beginning of the session was told, or is nothing new. */
  isAnnounced: boolean
  readonly #mayBeEmpty: boolean
  readonly #replaces: Replacement | undefined
  readonly #now: () => number
  readonly #limits: Limits
  readonly #maxBytes: number
  #base: SessionRecord
  #isNew: boolean
  #changes: Changes | undefined
  /** Changes that are being written right now. */
  #storing: RecordPatch = NO_CHANGES
  #isBeingStored = false
  #mayBeStored = false
  /** What the changes made of the base; made when it is needed. */
  #entries: { data: Entries, flash: Entries } | undefined
  #current: SessionRecord | undefined
  /** Bytes of the record without data and messages; counted when they are needed. */
  #outlineBytes: number | undefined

  constructor(id: string, now: () => number, limits: Limits, { stored, blank, replaces, changes, isAnnounced = false, mayBeEmpty = false, maxBytes = Number.POSITIVE_INFINITY }: StateOrigin = {}) {
    this.id = id
    this.isAnnounced = isAnnounced || stored !== undefined || replaces !== undefined
    this.#mayBeEmpty = mayBeEmpty
    this.#replaces = replaces
    this.#now = now
    this.#limits = limits
    this.#maxBytes = maxBytes
    this.#base = stored ?? blank ?? createRecord(now(), limits)
    this.#isNew = !stored
    this.#mayBeStored = stored !== undefined
    if (changes)
      this.change(changes)
  }

  /** True until storage holds it. */
  get isNew(): boolean {
    return this.#isNew
  }

  /** What this session takes over from when it is stored. */
  get replaces(): Replacement | undefined {
    return this.#isNew ? this.#replaces : undefined
  }

  /** The record as last stored, or what a new session starts from. */
  get base(): SessionRecord {
    return this.#base
  }

  /** What was changed since, also what is being written. */
  get changes(): RecordPatch {
    return mergePatches(this.#storing, this.#changes ?? NO_CHANGES)
  }

  /** True when there is something to write. */
  get isChanged(): boolean {
    return this.#changes !== undefined
  }

  /** What was changed since a write began, or `undefined`. */
  get newerChanges(): RecordPatch | undefined {
    return this.#changes
  }

  get isBeingStored(): boolean {
    return this.#isBeingStored
  }

  /** True once a write of it began: storage may hold it although the answer was lost. */
  get mayBeStored(): boolean {
    return this.#mayBeStored
  }

  /** The value under a key of the data, or `undefined`. */
  get(key: string): unknown {
    return this.#content.data.get(key)
  }

  /** The message under a key, or `undefined`. */
  getMessage(key: string): unknown {
    return this.#content.flash.get(key)
  }

  /** The record as it will be stored, as far as this request knows. */
  get current(): SessionRecord {
    return this.#isAsStored ? this.#base : this.#current ??= this.#continue(this.#content.data.values, this.#content.flash.values)
  }

  /** {@link SessionState.current} for who needs neither data nor messages: it costs the same whatever they are. */
  get outline(): SessionRecord {
    return this.#isAsStored ? this.#base : this.#continue(EMPTY, EMPTY)
  }

  /** False when there is nothing to keep. */
  get isKept(): boolean {
    const { data, flash } = this.#content
    return this.#mayBeEmpty || data.size > 0 || flash.size > 0
  }

  /** False for a record that is not stored, or no longer. */
  keeps(record: SessionRecord): boolean {
    return this.#mayBeEmpty || !isEmpty(record)
  }

  /**
   * Adds to the changes. Returns what undoes it.
   *
   * @throws SessionError `INVALID_VALUE`, with nothing changed, when the record would be too big
   */
  change(patch: RecordPatch): () => void {
    const bytes = this.#bytes
    const undo = this.takeOver(patch)
    this.#assertFits(bytes, undo)
    return undo
  }

  /** {@link SessionState.change} with what was checked elsewhere, or will be when it is written. */
  takeOver(patch: RecordPatch): () => void {
    const undoEntries = this.#changeEntries(patch)
    const before = this.#changes
    const changes = this.#changes ??= new Changes()
    const undoChanges = changes.add(patch)
    this.#forget(patch.lifetime !== undefined)
    return () => {
      undoChanges()
      this.#changes = before
      undoEntries()
      this.#forget(patch.lifetime !== undefined)
    }
  }

  /** Hands over the changes to be stored. They stay visible until `rebase`, or go back by `returnChanges`. */
  takeChanges(): RecordPatch {
    this.#storing = this.#changes ?? NO_CHANGES
    this.#isBeingStored = true
    this.#mayBeStored = true
    this.#changes = undefined
    return this.#storing
  }

  /** Takes changes back that could not be stored, before those made since. */
  returnChanges(): void {
    if (this.#storing !== NO_CHANGES) {
      const changes = new Changes()
      changes.add(this.changes)
      this.#changes = changes
    }
    this.#storing = NO_CHANGES
    this.#isBeingStored = false
  }

  /** Continues from what storage holds now; changes made since stay on top. */
  rebase(stored: SessionRecord): void {
    this.#base = stored
    this.#isNew = false
    this.#storing = NO_CHANGES
    this.#isBeingStored = false
    this.#entries = undefined
    this.#forget(true)
  }

  /** Bytes of the record as JSON, where they are limited. */
  get #bytes(): number {
    if (this.#maxBytes === Number.POSITIVE_INFINITY)
      return 0
    const { data, flash } = this.#content
    this.#outlineBytes ??= outlineBytes(this.#continue(EMPTY, EMPTY))
    return this.#outlineBytes + data.bytes + flash.bytes
  }

  #assertFits(before: number, undo: () => void): void {
    const bytes = this.#bytes
    if (bytes <= this.#maxBytes || bytes <= before)
      return
    const error = recordTooBig(this.current, bytes, this.#maxBytes)
    undo()
    throw error
  }

  #forget(hasOtherLifetime: boolean): void {
    this.#current = undefined
    if (hasOtherLifetime)
      this.#outlineBytes = undefined
  }

  get #isAsStored(): boolean {
    return this.#storing === NO_CHANGES && !this.#changes
  }

  get #content(): { data: Entries, flash: Entries } {
    if (this.#entries)
      return this.#entries
    const { data, flash } = this.#isAsStored ? this.#base : applyPatch(this.#base, this.changes, this.#now(), this.#limits)
    return this.#entries = { data: new Entries(data), flash: new Entries(flash) }
  }

  #continue(data: SessionRecord['data'], flash: SessionRecord['flash']): SessionRecord {
    const lifetime = this.#changes?.lifetime || this.#storing.lifetime ? { ...this.#storing.lifetime, ...this.#changes?.lifetime } : undefined
    return continueRecord(this.#base, { data, flash, lifetime }, this.#now(), this.#limits)
  }

  #changeEntries(patch: RecordPatch): () => void {
    if (!this.#entries && patch.data.size === 0 && patch.flash.size === 0 && !patch.isCleared)
      return () => {}
    const before = this.#content
    const { data, flash } = this.#entries = patch.isCleared ? { data: new Entries(EMPTY), flash: new Entries(EMPTY) } : before
    const undo = [...patchEntries(data, patch.data), ...patchEntries(flash, patch.flash)]
    return () => {
      undo.forEach(undoOne => undoOne())
      this.#entries = before
    }
  }
}

function patchEntries(entries: Entries, changes: ReadonlyMap<string, unknown>): (() => void)[] {
  return [...changes].map(([key, change]) => {
    const before = entries.get(key)
    entries.set(key, patchValue(before, change))
    return () => entries.set(key, before)
  })
}
