/** What not to do: the answer goes to everybody, so it cannot hold one visitor's theme. It throws, and says why. */
export default defineCachedEventHandler(async (event) => {
  const session = await useSession(event)
  return { theme: session.get('theme') }
})
