import type { Driver } from './driver'
import type { Mounts } from './mounted'
import type { UnstorageLike } from './methods'
import { toDriver } from './methods'
import { findOrigin } from './origin'

/** How a storage is used, and for what place it stands. */
export interface View {
  /** Its mounts, or a driver that is its methods. */
  readonly mounts: Mounts
  /** What its keys begin with there, without a colon at the end. */
  readonly base: string
  /** True for an object with methods of its own. */
  readonly isOwn: boolean
  /** The driver that has its things, and what their keys begin with there; `undefined` where nobody knows. */
  place(): { driver: Driver, at: string } | undefined
}

const views = new WeakMap<object, View>()

/** The view of a storage, found out once. */
export function viewOf(storage: UnstorageLike): View {
  const view = views.get(storage) ?? createView(storage)
  views.set(storage, view)
  return view
}

function createView(storage: UnstorageLike): View {
  const origin = findOrigin(storage)
  const place = (): { driver: Driver, at: string } | undefined => {
    if (!origin)
      return undefined
    const { base, driver } = origin.root.getMount(origin.prefix)
    return { driver, at: origin.prefix.slice(base.length) }
  }
  if (origin?.isPlain)
    return { mounts: origin.root, base: origin.prefix.slice(0, -1), isOwn: false, place }
  const driver = toDriver(storage, place()?.driver)
  return { mounts: { getMount: () => ({ base: '', driver }) }, base: '', isOwn: true, place }
}
