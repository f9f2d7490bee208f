export default defineEventHandler(async (event) => {
  const theme = getSession(event)?.theme
  await destroySession(event)
  // Both start a fresh session without a user; the theme is the browser's, not the account's.
  await updateSession(event, { theme })
  flash(event, 'success', 'Signed out, in every tab.')
  return proceed(event, '/')
})
