import { nanoid } from 'nanoid'

/** Characters of one write's own mark. */
const MARK_LENGTH = 8

/** How many writes a revision remembers. */
const REMEMBERED = 6

export const MAX_REVISION_LENGTH = MARK_LENGTH * REMEMBERED

/**
 * The revision of a record that follows on another: the mark of this write before those of
 * the last ones, so that a write whose answer was lost is recognised although others followed.
 */
export function createRevision(previous = ''): string {
  return (nanoid(MARK_LENGTH) + previous).slice(0, MAX_REVISION_LENGTH)
}

/** True when the write that made `earlier` is among the last ones that led to `newest`. */
export function followsOn(newest: string, earlier: string): boolean {
  const mark = earlier.slice(0, MARK_LENGTH)
  for (let start = 0; start < newest.length; start += MARK_LENGTH) {
    if (newest.startsWith(mark, start))
      return true
  }
  return false
}
