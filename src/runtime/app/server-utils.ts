/**
 * What the Vue app finds under the names of the server's utils: there is no session there, only
 * what it may see, and server routes change it. Each throws an error with the line to write.
 */
const elsewhere = (name: string, line: string) => (): never => {
  throw new Error(`\`${name}\` is for server code. In the Vue app ${line}`)
}

const DATA = 'write `const { data } = useClientSession()`, which has the keys of the option `expose`'
const ROUTE = 'call a server route that does it, with `$fetch`.'

export const useSession = elsewhere('useSession', `${DATA}; to change the session, call a server route.`)
export const getSession = elsewhere('getSession', `${DATA}.`)
export const requireSession = elsewhere('requireSession', 'write `definePageMeta({ middleware: \'session\' })` to guard a page; what is secret is guarded by its server route.')
export const updateSession = elsewhere('updateSession', ROUTE)
export const regenerateSession = elsewhere('regenerateSession', ROUTE)
export const destroySession = elsewhere('destroySession', 'write `await useClientSession().clear()`, or call a server route that does it.')
export const clearSession = elsewhere('clearSession', 'write `await useClientSession().clear()`, or call a server route that does it.')
export const flash = elsewhere('flash', 'write `const message = useFlash(\'key\')`; to leave a message, call a server route.')
