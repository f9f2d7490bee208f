export default defineEventHandler((event) => {
  flash(event, 'error', 'Left by the handler before it failed.')
  throw createError({ statusCode: 409, statusMessage: 'Sold out' })
})
