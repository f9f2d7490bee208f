import type { UnstorageLike } from './methods'
import type { Mounts, UnstorageStoreOptions } from './mounted'
import type { SessionStore } from '../types'
import { lockWith } from '../lock'
import { isStorage } from './kinds'
import { createMountedStore } from './mounted'
import { viewOf } from './view'

export type { UnstorageLike } from './methods'
export type { Mounts, UnstorageStoreOptions } from './mounted'

/**
 * Stands for the place of all storages of which it is not known. Keys of records are hashes of
 * random ids, so that those of different storages never wait for each other.
 */
const SOMEWHERE = {}

/**
 * Keeps records as JSON in any unstorage storage, where `getItem` and `getKeys` of that very
 * object find them, also below a prefix. What `createStorage` and `prefixStorage` made is used
 * through the driver below, as {@link createMountedStore} says. An object with methods of its own,
 * such as one that encrypts or counts, is used through these, and `compareAndSet` then holds
 * while one writer at a time is let at a record.
 */
export function createStorageStore(storage: UnstorageLike | Mounts, { base, timeout }: UnstorageStoreOptions): SessionStore {
  if (!isStorage(storage))
    return createMountedStore(storage, { base, timeout })
  const view = viewOf(storage)
  const store = createMountedStore(view.mounts, { base: [view.base, base].filter(Boolean).join(':'), timeout })
  lockWith(store, () => view.place()?.driver ?? SOMEWHERE)
  return store
}
