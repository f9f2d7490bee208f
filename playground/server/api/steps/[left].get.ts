export default defineEventHandler((event) => {
  const left = Number(getRouterParam(event, 'left'))
  return sendRedirect(event, left > 1 ? `/api/steps/${left - 1}` : '/messages', 303)
})
