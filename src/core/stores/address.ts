/** Where a node of a service is. */
export interface Address {
  host?: string
  port?: number
  /** Of a socket of the system. */
  path?: string
}

/** The options in which drivers are told where their service is. */
const PLACES = ['url', 'connectionString', 'endpoint', 'base', 'host'] as const

/** Where a driver connects to, as its options tell: hosts and ports, and nothing else. `undefined` where none does. */
export function addressIn(options: unknown): string | undefined {
  const { port, ...others } = Object(options) as Record<string, unknown>
  for (const name of PLACES) {
    const value = others[name]
    if (typeof value !== 'string')
      continue
    const address = name === 'host' ? hostsOf(`//${withPort({ host: value, ...(typeof port === 'number' && { port }) })}`) : hostsOf(value)
    if (address)
      return address
  }
  return undefined
}

/** A host and its port, as addresses are written. */
export function withPort({ host = '', port }: Address): string {
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  return port === undefined ? name : `${name}:${port}`
}

/** One host or several, each with a port or without. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i

/** A URL, or what follows its scheme: a connection string may have slashes anywhere, such as in its key. */
const URL_PARTS = /^(?:[a-z][\w+.-]*:)?\/\/(.*)$/is

/**
 * The hosts of a URL, without names, passwords, paths and queries, which may be secret as well.
 * `undefined` for what is no URL, and where it cannot be told what is host and what is password.
 */
export function hostsOf(url: string): string | undefined {
  const [, rest] = URL_PARTS.exec(url) ?? []
  if (rest === undefined)
    return undefined
  const end = rest.search(/[/?#\\]/)
  const authority = end < 0 ? rest : rest.slice(0, end)
  const at = authority.lastIndexOf('@')
  // A name or a password may hold what ends a host.
  if (rest.lastIndexOf('@') > at)
    return undefined
  // In a text, quotes may end it.
  const hosts = authority.slice(at + 1).split(/["'`<>]/, 1)[0]!.split(',')
  return hosts.every(host => HOST.test(host)) ? hosts.join(', ') : undefined
}
