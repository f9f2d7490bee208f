import type { H3Event } from 'h3'

/** The user of this request; without one it ends here. A page's middleware guards no data. */
export function requireUser(event: H3Event): User {
  const user = getSession(event)?.user
  if (!user)
    throw createError({ statusCode: 401, statusMessage: 'Sign in first' })
  return user
}
