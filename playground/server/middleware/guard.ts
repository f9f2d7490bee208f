/** Guards the dashboard: its page, and the data behind it. */
export default defineEventHandler((event) => {
  const { pathname } = getRequestURL(event)
  if (!/^\/(?:api\/)?dashboard(?:\/|$)/i.test(pathname) || getSession(event)?.user)
    return
  if (pathname.startsWith('/api/'))
    throw createError({ statusCode: 401, statusMessage: 'Sign in first' })
  flash(event, 'info', 'Please sign in to see the dashboard.')
  return sendRedirect(event, '/login', 303)
})
