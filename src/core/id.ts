import { nanoid } from 'nanoid'
import { getCrypto } from './crypto/index'

/** 24 characters of 6 bits are 144 bits; ASVS 5.0, V7.2.3 asks for 128. */
const ID_LENGTH = 24
const ID_SHAPE = /^[\w-]{22,64}$/

export function createId(): string {
  return nanoid(ID_LENGTH)
}

/** True for a text that could be one of our ids, so that nothing else ever reaches storage. */
export function isPlausibleId(id: unknown): id is string {
  return typeof id === 'string' && ID_SHAPE.test(id)
}

/** The storage key of an id: a SHA-256, so that a dump of the storage holds no usable id. */
export function toStorageKey(id: string): string {
  return getCrypto().sha256(id)
}
