export default defineEventHandler(async (event) => {
  const { name, password } = await readFields(event, 'name', 'password')
  const user = findUser(name, password)
  if (!user) {
    flash(event, 'error', 'That name and password do not match.')
    return sendRedirect(event, '/login', 303)
  }
  // A new id at sign-in: one that somebody planted before is worth nothing afterwards.
  await regenerateSession(event, { user })
  flash(event, 'success', `Welcome, ${user.name}.`)
  return sendRedirect(event, '/dashboard', 303)
})
