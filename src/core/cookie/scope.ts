import type { ResolvedCookieOptions } from '../options'
import type { RequestAddress } from '../ports'

/** Where a browser keeps a cookie; with its name, this is its identity (RFC 6265bis, section 5.7, and CHIPS). */
export interface CookieScope {
  /** Without one it is the cookie of one host only. */
  readonly domain: string | undefined
  readonly path: string
  readonly partitioned: boolean
}

/** Hosts limit the headers of a response, often to 4 kB. */
const MAX_SCOPES = 40

const MAX_LABELS = 6
const MAX_SEGMENTS = 6

/** The scope of the cookies that these options set. */
function scopeOf({ domain, path, partitioned = false }: ResolvedCookieOptions): CookieScope {
  return { domain: domain && normalizeDomain(domain), path, partitioned }
}

/**
 * All other scopes that a cookie of a request can have: of this host alone or of a domain above
 * it, of any beginning of the path, partitioned or not. Those that differ least from the
 * configured one come first, {@link MAX_SCOPES} at most.
 */
export function otherScopes(options: ResolvedCookieOptions, address: RequestAddress): CookieScope[] {
  const own = scopeOf(options)
  const isBoundToHost = /^__Host-/i.test(options.name)
  const domains = isBoundToHost ? [undefined] : [undefined, ...domainsAbove(hostnameOf(address.host)), ...domainsAbove(own.domain)]
  const paths = isBoundToHost ? ['/'] : [...prefixesOf(address.path), ...prefixesOf(own.path)]
  // Browsers keep no partitioned cookie that is not secure.
  const partitions = options.secure ? [own.partitioned, !own.partitioned] : [false]
  const scopes = [...new Set(domains)].flatMap(domain => [...new Set(paths)].flatMap(path => partitions.map(partitioned => ({ domain, path, partitioned }))))
  const differences = (scope: CookieScope): number =>
    Number(scope.domain !== own.domain) + Number(scope.path !== own.path) + Number(scope.partitioned !== own.partitioned)
  return scopes
    .filter(scope => differences(scope) > 0)
    .sort((a, b) => differences(a) - differences(b))
    .slice(0, MAX_SCOPES)
}

const scopeTexts = new WeakMap<ResolvedCookieOptions, string>()

/** The scope of the cookies that these options set, as a text; empty for that of most: one host, all paths. */
export function scopeTextOf(options: ResolvedCookieOptions): string {
  const known = scopeTexts.get(options)
  if (known !== undefined)
    return known
  const { domain = '', path, partitioned } = scopeOf(options)
  const text = domain || path !== '/' || partitioned ? `${domain};${path};${partitioned ? 1 : ''}` : ''
  scopeTexts.set(options, text)
  return text
}

/** The scope that {@link scopeTextOf} wrote. */
export function parseScopeText(text: string): CookieScope {
  const [domain, path, partitioned] = text.split(';')
  return { domain: domain || undefined, path: path || '/', partitioned: partitioned === '1' }
}

/**
 * Name and scope of a `Set-Cookie` header as one text, the same for two headers of which a
 * browser keeps the last one only.
 *
 * @param header the header
 * @param requestPath the path of the request, whose folder is the path of a cookie that names none
 */
export function identityOf(header: string, requestPath: string): string {
  const [pair = '', ...attributes] = header.split(';')
  const values = new Map(attributes.map(attribute => [attribute.split('=', 1)[0]!.trim().toLowerCase(), attribute.slice(attribute.indexOf('=') + 1).trim()]))
  const path = values.get('path')
  return [
    pair.split('=', 1)[0]!.trim(),
    normalizeDomain(values.get('domain') ?? ''),
    path?.startsWith('/') ? path : defaultPathOf(requestPath),
    values.has('partitioned'),
  ].join(';')
}

function normalizeDomain(domain: string): string {
  return domain.replace(/^\./, '').toLowerCase()
}

/** RFC 6265, section 5.1.4. */
function defaultPathOf(requestPath: string): string {
  const path = withoutQuery(requestPath)
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

/** Without the port; empty for addresses, which have no domain above them. */
function hostnameOf(host = ''): string {
  const hostname = host.split(':', 1)[0]!.toLowerCase()
  return /^[\d.]*$/.test(hostname) || !/^[a-z\d.-]{1,253}$/.test(hostname) ? '' : hostname
}

/** A host and the domains above it, without that of the top level. */
function domainsAbove(hostname = ''): string[] {
  const labels = hostname.split('.').filter(Boolean).slice(-MAX_LABELS)
  return labels.map((_, index) => labels.slice(index).join('.')).slice(0, Math.max(1, labels.length - 1))
}

/** Every path whose cookies a request to this path carries, the shortest first. */
function prefixesOf(path: string): string[] {
  const [, ...segments] = withoutQuery(path).split('/')
  const prefixes = ['/']
  let prefix = ''
  for (const [index, segment] of segments.slice(0, MAX_SEGMENTS).entries()) {
    prefix += `/${segment}`
    prefixes.push(prefix)
    if (index < segments.length - 1)
      prefixes.push(`${prefix}/`)
  }
  // Nothing that would end the attribute.
  return prefixes.filter(prefix => /^[\x21-\x3A\x3C-\x7E]{1,1024}$/.test(prefix))
}

function withoutQuery(path: string): string {
  return path.split('?', 1)[0]!
}
