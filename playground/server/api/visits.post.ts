export default defineEventHandler(async (event) => {
  const { visits } = await updateSession(event, data => ({ visits: (data.visits ?? 0) + 1 }))
  return { visits }
})
