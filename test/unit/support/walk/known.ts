import type { Operation } from './operations'
import type { WalkRequest } from './request'

/** Faults of the engine that the walk has found and that are not mended: it goes around them. Delete a line to look for its fault. */
const KNOWN: ((request: WalkRequest, operation: Operation) => boolean)[] = [
  // `set('b', 1)` in a new session, then `update({ b: undefined })`: `b` is there again.
  ({ opened, session }, { name }) => name === 'updateAway' && opened.exists && session.isNew,
]

export function isKnownFault(request: WalkRequest, operation: Operation): boolean {
  return KNOWN.some(isKnown => isKnown(request, operation))
}

/** An update that fails takes back the cookie that replaces one of an old secret. */
export function isKnownToKeepOldSecret({ rejections }: WalkRequest): boolean {
  return rejections > 0
}
