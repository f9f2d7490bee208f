let isTold = false

/**
 * Warns, once in a process, of a cookie that another app may have set under our name. Two apps
 * on one host share their cookies, whatever their ports, and log each other's visitors out.
 *
 * @param remedy how this app's cookie gets a name of its own
 */
export function warnOfForeignCookie(cookieName: string, remedy: string): void {
  if (isTold)
    return
  isTold = true
  console.warn(`[unsession] The browser sent a cookie named '${cookieName}' that the secret of this app did not sign, so it counts as no cookie. Browsers do not tell ports apart: if another app on this host uses the same name, the two log each other's visitors out. ${remedy} If you have just changed the secret or the mode, there is nothing to do.`)
}
