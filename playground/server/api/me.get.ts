/**
 * What every page shows of its visitor. Called once per page shown, so it is also where a
 * visit is counted and where flash messages are read, which takes them out of the session.
 */
export default defineEventHandler(async (event) => {
  const messages = (['success', 'error', 'info'] as const)
    .map(kind => ({ kind, text: flash(event, kind) }))
    .filter(message => message.text !== undefined)
  const { user, visits = 0, theme = 'auto' } = await updateSession(event, data => ({ visits: (data.visits ?? 0) + 1 }))
  return { user, visits, theme, messages, mode: getSessionOptions(event).mode }
})
