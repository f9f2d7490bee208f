/**
 * There is no session in the Vue app: what it may see is in `useClientSession()`, and server
 * routes change it.
 *
 * @deprecated In the Vue app write `const { data } = useClientSession()`.
 * @throws Error that says so
 */
export function useSession(): never {
  throw new Error('`useSession` is for server code. In the Vue app write `const { data } = useClientSession()`, which has the keys of the option `expose`; to change the session, call a server route.')
}
