import type { Driver } from './driver'

/** The part of an unstorage `Storage` that is used: both major versions fit, and objects of your own with these methods. */
export interface UnstorageLike {
  getItem(key: string): unknown
  setItem(key: string, value: never, options?: object): unknown
  removeItem(key: string): unknown
  /** Without it expired records are removed only when they are met. */
  getKeys?(base?: string): unknown
}

/** Keys that unstorage takes out of the objects that it parses. */
const DROPPED = ['"__proto__"', '"constructor"']

/**
 * The methods of a storage as a driver, for a storage that does more than hand on to a driver:
 * it encrypts, counts, caches.
 *
 * @param mounted the driver below, where it is known
 */
export function toDriver(storage: UnstorageLike, mounted: Driver | undefined): Driver {
  const { name, options } = mounted ?? {}
  const { readOnly } = (options ?? {}) as { readOnly?: boolean }
  const getItem = async (key: string): Promise<unknown> => unwrap(await storage.getItem(key))
  return {
    // It tells whether records expire by themselves.
    ...(name !== undefined && { name }),
    ...(readOnly && { options: { readOnly } }),
    getItem,
    setItem: (key, text, options) => storage.setItem(key, wrap(text) as never, options),
    async removeItem(key) {
      await storage.removeItem(key)
      // The file system drivers say that they failed, and unstorage does not pass it on.
      if (name?.startsWith('fs') && (await getItem(key) ?? null) !== null)
        throw new Error('The record is still there.')
    },
    getKeys: base => storage.getKeys?.(base),
  }
}

/** Unstorage parses what looks like JSON, and hands out a text within a text as it is. */
function wrap(text: string): string {
  return DROPPED.some(key => text.includes(key)) ? JSON.stringify(text) : text
}

function unwrap(value: unknown): unknown {
  return typeof value === 'string' && value.startsWith('"') ? JSON.parse(value) : value
}
