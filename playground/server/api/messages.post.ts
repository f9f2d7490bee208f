export default defineEventHandler((event) => {
  flash(event, 'success', `Saved at ${new Date().toISOString().slice(11, 19)} UTC.`)
  return proceed(event, '/messages')
})
