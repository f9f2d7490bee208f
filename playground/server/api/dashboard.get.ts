export default defineEventHandler(async (event) => {
  const { user } = await requireSession(event, 'user')
  const { createdAt, expiresAt, data } = await useSession(event)
  return { id: user.id, wrongPasswords: data.wrongPasswords ?? 0, createdAt, expiresAt }
})
