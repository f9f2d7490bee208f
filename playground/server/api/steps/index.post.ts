/** A message on a long way: each redirect is a request of its own, and none of them reads it. */
export default defineEventHandler((event) => {
  flash(event, 'info', 'Carried over four redirects.')
  return sendRedirect(event, '/api/steps/3', 303)
})
