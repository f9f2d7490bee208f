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
  if (!header || !name)
    return values
  let at = header.indexOf(name)
  while (at >= 0 && values.length < MAX_CANDIDATES) {
    let next = at + name.length
    const equals = skipBlanks(header, next)
    if (header.charCodeAt(equals) === EQUALS && isBehindSeparator(header, at)) {
      next = endOfPair(header, equals)
      values.push(trim(header, equals + 1, next))
    }
    at = header.indexOf(name, next)
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

/** The first position behind the text before that is not blank. */
function skipBlanksBackwards(text: string, end: number): number {
  while (isBlank(text.charCodeAt(end - 1)))
    end--
  return end
}

function isBehindSeparator(header: string, at: number): boolean {
  const end = skipBlanksBackwards(header, at)
  return end === 0 || header.charCodeAt(end - 1) === SEMICOLON
}

function endOfPair(header: string, at: number): number {
  const semicolon = header.indexOf(';', at)
  return semicolon < 0 ? header.length : semicolon
}

function trim(text: string, start: number, end: number): string {
  const first = skipBlanks(text, start)
  return first >= end ? '' : text.slice(first, skipBlanksBackwards(text, end))
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
