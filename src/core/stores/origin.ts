import type { Driver } from './driver'

/** The storage that all others are views of: what `createStorage` of unstorage makes. */
export interface RootStorage {
  getMount(key: string): { base: string, driver: Driver }
  getMounts(base: string): { base: string, driver: unknown }[]
  mount(base: string, driver: object): unknown
  unmount(base: string, dispose: boolean): unknown
}

/** Where a storage keeps its things. */
export interface Origin {
  root: RootStorage
  /** What its keys begin with there, such as `a:b:`. */
  prefix: string
  /** False for an object with methods of its own: those of the root would pass them over. */
  isPlain: boolean
}

/** Mounted for a moment that nobody can look into: no key begins with it, and nothing waits meanwhile. */
const PROBE = 'unsession-probe'

/**
 * Finds out where a storage keeps its things, by what every storage of unstorage can do: it
 * mounts something, and looks where that is. `undefined` for an object that mounts nothing.
 */
export function findOrigin(storage: object): Origin | undefined {
  if (!isMounting(storage))
    return undefined
  const probe = createProbe()
  try {
    const root = storage.mount(PROBE, probe)
    if (!isObject(root) || !isMounting(root))
      return undefined
    const { base } = root.getMounts('').find(({ driver }) => driver === probe)!
    const isPlain = isMadeByCreateStorage(root)
      && (storage === root || (isMadeByPrefixStorage(storage, root) && isAsking(storage, root) && isPassingOn(storage, probe)))
    return { root, prefix: base.slice(0, base.lastIndexOf(PROBE)), isPlain }
  }
  catch {
    return undefined
  }
  finally {
    ignore(() => storage.unmount(PROBE, false))
  }
}

interface Probe {
  arrived?: string
}

function createProbe(): Probe {
  const probe: Probe & { [method: string]: unknown } = {
    hasItem: () => false,
    getItem: () => null,
    getKeys: () => [],
    setItem: (_: string, text: string) => void (probe.arrived = text),
    // Without it the app would be told of changes.
    watch: () => () => {},
  }
  return probe
}

/** True where what is written arrives at once and as it was: nothing encrypts it on its way. */
function isPassingOn(storage: RootStorage, probe: Probe): boolean {
  const { setItem, removeItem } = storage as unknown as { [method: string]: (key: string, text?: string) => unknown }
  const [key, text] = [`${PROBE}:item`, '{"version":0}']
  storage.mount(PROBE, probe)
  const written = setItem!(key, text)
  const isPassedOn = probe.arrived === text
  // What is late lands in a driver of the app.
  ignore(() => isPassedOn ? written : Promise.resolve(written).then(() => removeItem!(key)))
  return isPassedOn
}

/** True where the root itself is asked, and not a copy of it or a Proxy, whose other methods may be others. */
function isAsking(storage: RootStorage, root: RootStorage): boolean {
  const { unmount } = root
  let isAsked = false
  root.unmount = function (this: unknown, ...args) {
    isAsked = this === root
    return unmount.apply(root, args)
  }
  try {
    ignore(() => storage.unmount(PROBE, false))
  }
  finally {
    root.unmount = unmount
  }
  return isAsked
}

/**
 * True for methods that find the driver of a key themselves, as their source tells by the name of
 * that property; one that was put in their place hands on to another method. What is not
 * recognised is used through its methods, so that nothing is passed over by mistake.
 */
function isMadeByCreateStorage(root: object): boolean {
  return ['getItem', 'setItem', 'removeItem', 'getKeys'].every(name => /\bdriver\b/.test(sourceOf(root, name)) && !/\bthis\b/.test(sourceOf(root, name)))
}

/** `prefixStorage` makes these in a loop, so their source is the same; that of a method that was put in their place is not. */
const MADE_ALIKE = ['has', 'hasItem', 'get', 'getItem', 'getItemRaw', 'set', 'setItem', 'setItemRaw', 'del', 'remove', 'removeItem', 'getMeta', 'setMeta', 'removeMeta']

function isMadeByPrefixStorage(storage: RootStorage, root: RootStorage): boolean {
  const { keys, getKeys } = storage as unknown as Record<string, unknown>
  return storage.getMount === root.getMount && storage.getMounts === root.getMounts
    && new Set(MADE_ALIKE.map(name => sourceOf(storage, name))).size === 1
    // Older versions leave the alias as it is in the root.
    && (keys === getKeys || keys === (root as unknown as Record<string, unknown>).keys)
}

function sourceOf(storage: object, name: string): string {
  return String((storage as Record<string, unknown>)[name])
}

function isMounting(value: object): value is RootStorage {
  return ['mount', 'unmount', 'getMount', 'getMounts'].every(name => typeof (value as Record<string, unknown>)[name] === 'function')
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** What comes of it is none of our business. */
function ignore(act: () => unknown): void {
  (async () => act())().catch(() => {})
}
