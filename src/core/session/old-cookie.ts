import type { SessionMachine } from './machine'
import type { OldCookies } from './ports'

/** Takes over the session behind the cookie of another package. */
export type Migrate = (machine: SessionMachine, old: OldCookies) => Promise<void>

/** The cookie of another package, where the request carries none of ours. */
export function oldCookieToLoad({ state, cookie, oldCookie }: SessionMachine): OldCookies | undefined {
  return oldCookie && !state.isLoaded && cookie.tokenOf(state) === undefined && oldCookie.isCarried ? oldCookie : undefined
}

/** Removes the cookie of another package, where none of ours takes its place. */
export function expireOldCookie(machine: SessionMachine, old: OldCookies): void {
  machine.adopt({ ...machine.state, isOldCookieOver: true })
  old.expire()
  if (old.isNamedAsOurs)
    machine.expireCookie()
}
