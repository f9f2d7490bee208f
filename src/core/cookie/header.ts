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
  visitPairs(header, name, pairWith(name, header, 0), (at) => {
    const equals = skipBlanks(header, at + name.length)
    if (header.charCodeAt(equals) !== EQUALS)
      return equals
    const end = endOfPair(header, equals)
    return values.push(trim(header, equals + 1, end)) < MAX_CANDIDATES ? pairWith(name, header, end) : header.length
  })
  return values
}

/** More pieces of one cookie are not looked at. */
const MAX_PIECES = 100

/** The raw values of the cookies `name.1`, `name.2` and so on, by their names. Linear, as {@link readCookies} is. */
export function readPieces(header = '', name: string): Map<string, string> {
  const pieces = new Map<string, string>()
  let count = 0
  visitPairs(header, `${name}.`, 0, (at) => {
    const end = endOfPair(header, at)
    const pair = header.slice(at, end)
    const equals = pair.indexOf('=')
    const piece = trim(pair, 0, Math.max(equals, 0))
    if (piece && !pieces.has(piece))
      pieces.set(piece, trim(pair, equals + 1, pair.length))
    return ++count < MAX_PIECES ? end : header.length
  })
  return pieces
}

/**
 * Calls for every pair of a header that begins with a text. One loop without calls, since there
 * may be thousands of pairs.
 *
 * @param header the header
 * @param beginning what the pairs begin with
 * @param from where to start: at the beginning of a pair, or at the semicolon before it
 * @param visit answers where to go on
 */
function visitPairs(header: string, beginning: string, from: number, visit: (at: number) => number): void {
  const first = beginning.charCodeAt(0)
  let isBeginning = true
  for (let at = from; at < header.length; at++) {
    const code = header.charCodeAt(at)
    if (code === SEMICOLON) {
      isBeginning = true
    }
    else if (isBeginning && !isBlank(code)) {
      isBeginning = false
      if (code === first && header.startsWith(beginning, at))
        at = visit(at) - 1
    }
  }
}

/** The search of engines is quick for names of this length, and can be slow for shorter ones. */
const SEARCHED_LENGTH = 7

/** The semicolon before the next pair that has the name somewhere; the end when there is none. */
function pairWith(name: string, header: string, from: number): number {
  if (name.length < SEARCHED_LENGTH)
    return from
  const found = header.indexOf(name, from)
  return found < 0 ? header.length : Math.max(header.lastIndexOf(';', found), from)
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
  while (isBlank(text.charCodeAt(end - 1)))
    end--
  // Of nothing but blanks, the end is before the beginning.
  return text.slice(first, end)
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
