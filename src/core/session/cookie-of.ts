import type { Present, State } from './state'
import { NO_CHANGES } from '../record/patch'
import { isPersisted, presentIn } from './state'

/** What the response says of our cookie. */
export type CookieWord =
  | { readonly say: 'nothing' }
  | { readonly say: 'remove' }
  | { readonly say: 'set', readonly session: Present }

const NOTHING: CookieWord = { say: 'nothing' }
const REMOVE: CookieWord = { say: 'remove' }

/** The one place that decides what becomes of the cookie. */
export function cookieOf(state: State): CookieWord {
  const session = presentIn(state)
  if (session && isPersisted(session))
    return isKnown(state, session) ? NOTHING : { say: 'set', session }
  // The browser has the cookie of another id, or no reason to lose the one it has.
  if (state.slot.kind === 'over' || state.wasReplaced)
    return NOTHING
  return state.hadSession || state.isDismissed ? REMOVE : NOTHING
}

/** True when the browser's cookie says all of it already. */
function isKnown({ known }: State, { content }: Present): boolean {
  return content.base === known && content.changes === NO_CHANGES
}
