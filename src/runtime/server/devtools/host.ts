/** What the name of a host, with a port, is made of. */
const HOST = /^[\w.:[\]%-]+$/

/**
 * True for a request to an IP address, to `localhost` or to a name below it. Any other name may
 * be one that another site lets point to this machine: DNS rebinding. What a proxy says was
 * asked for must be such a host as well; it is the browser's word, and can only refuse.
 */
export function isLocal(headers: Headers): boolean {
  const hosts = [headers.get('host') ?? '', ...headers.get('x-forwarded-host')?.split(',') ?? []]
  return hosts.every(host => isLocalHost(host.trim()))
}

function isLocalHost(host: string): boolean {
  if (!HOST.test(host) || !URL.canParse(`http://${host}/`))
    return false
  // In lower case, and addresses in one spelling.
  const { hostname } = new URL(`http://${host}/`)
  const name = hostname.replace(/\.$/, '')
  return name === 'localhost' || name.endsWith('.localhost') || /^(?:[\d.]+|\[.+\])$/.test(name)
}
