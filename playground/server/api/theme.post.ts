export default defineEventHandler(async (event) => {
  const { theme } = await readFields(event, 'theme')
  if (!isTheme(theme))
    throw createError({ statusCode: 400, statusMessage: 'Unknown theme' })
  await updateSession(event, { theme })
  return proceed(event)
})

function isTheme(value: string): value is Theme {
  return ['light', 'dark', 'auto'].includes(value)
}
