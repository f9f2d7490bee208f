/** Runs on the server for the first page, and in the browser for the next ones. */
export default defineNuxtRouteMiddleware(async () => {
  const { data } = await useClientSession()
  if (!data.value.user)
    return navigateTo({ path: '/login', query: { guarded: 'yes' } })
})
