/** More cookies of one name are not looked at: a subdomain can send as many as fit into the header. */
export const MAX_CANDIDATES = 8

/**
 * The raw values of the cookies of that name in a `Cookie` header, in their order, the first
 * {@link MAX_CANDIDATES} at most. Several are there when the attributes were changed, or when a
 * subdomain added one of its own, so the first need not be ours.
 *
 * Every request passes here before anything is verified, so the cost is linear, whatever the
 * header: each character is looked at a fixed number of times.
 */
export function readCookies(header: string | undefined, name: string): string[] {
  const values: string[] = []
  if (!name || !header)
    return values
  let isBeginning = true
  // One loop without calls: there may be thousands of pairs.
  for (let at = pairWith(name, header, 0); at < header.length; at++) {
    const code = header.charCodeAt(at)
    if (code === SEMICOLON) {
      isBeginning = true
    }
    else if (isBeginning && !isBlank(code)) {
      isBeginning = false
      if (code !== name.charCodeAt(0) || !header.startsWith(name, at))
        continue
      const equals = skipBlanks(header, at + name.length)
      if (header.charCodeAt(equals) !== EQUALS)
        continue
      const end = endOfPair(header, equals)
      if (values.push(trim(header, equals + 1, end)) === MAX_CANDIDATES)
        break
      at = pairWith(name, header, end) - 1
      isBeginning = true
    }
  }
  return values
}

/** The search of engines is quick for names of this length, and can be slow for shorter ones. */
const SEARCHED_LENGTH = 7

/** Where the next pair begins that has the name somewhere; the end when there is none. */
function pairWith(name: string, header: string, from: number): number {
  if (name.length < SEARCHED_LENGTH)
    return from
  const found = header.indexOf(name, from)
  return found < 0 ? header.length : header.lastIndexOf(';', found) + 1
}

/** The first raw value of every cookie in a `Cookie` header, by name. Linear, as {@link readCookies} is. */
export function readAllCookies(header = ''): Map<string, string> {
  const values = new Map<string, string>()
  const { length } = header
  for (let start = 0, end = 0; start < length; start = end + 1) {
    end = endOfPair(header, start)
    const pair = trim(header, start, end)
    const equals = pair.indexOf('=')
    const name = trim(pair, 0, Math.max(equals, 0))
    if (name && !values.has(name))
      values.set(name, trim(pair, equals + 1, pair.length))
  }
  return values
}

const TAB = 0x09
const SPACE = 0x20
const SEMICOLON = 0x3B
const EQUALS = 0x3D

/** The white space that RFC 6265, section 5.2 allows around names and values. */
function isBlank(code: number): boolean {
  return code === SPACE || code === TAB
}

function skipBlanks(text: string, at: number): number {
  while (isBlank(text.charCodeAt(at)))
    at++
  return at
}

function endOfPair(header: string, at: number): number {
  const end = header.indexOf(';', at)
  return end < 0 ? header.length : end
}

function trim(text: string, start: number, end: number): string {
  const first = skipBlanks(text, start)
  while (end > first && isBlank(text.charCodeAt(end - 1)))
    end--
  return first < end ? text.slice(first, end) : ''
}

/**
 * What a cookie's raw value spells. Some clients put it into double quotes, and some hosts
 * percent-encode it; neither belongs to it.
 *
 * @returns undefined for an encoding that is broken
 */
export function normalizeValue(value: string): string | undefined {
  const decoded = value.includes('%') ? decode(value) : value
  const isQuoted = decoded !== undefined && decoded.length > 1 && decoded.startsWith('"') && decoded.endsWith('"')
  return isQuoted ? decoded.slice(1, -1) : decoded
}

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value)
  }
  catch {
    return undefined
  }
}
