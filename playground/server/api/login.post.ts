export default defineEventHandler(async (event) => {
  const { name, password } = await readFields(event, 'name', 'password')
  const user = findUser(name, password)
  if (!user) {
    await updateSession(event, data => ({ wrongPasswords: (data.wrongPasswords ?? 0) + 1 }))
    flash(event, 'error', 'That name and password do not match.')
    return proceed(event, '/login')
  }
  // A new id at sign-in: one that somebody planted before is worth nothing afterwards.
  await regenerateSession(event, { user })
  flash(event, 'success', `Welcome, ${user.name}.`)
  return proceed(event, '/dashboard')
})
