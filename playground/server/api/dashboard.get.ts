/** Only reached by signed-in visitors, see the guard in server/middleware. */
export default defineEventHandler(async (event) => {
  const session = await useSession(event)
  return {
    user: session.get('user'),
    visits: session.get('visits'),
    createdAt: session.createdAt,
    expiresAt: session.expiresAt,
  }
})
