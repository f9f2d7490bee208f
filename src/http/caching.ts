import type { HeaderList } from './headers'

/** Directives that keep a response out of shared caches, where they have no argument. */
const FORBIDDING = new Set(['private', 'no-store', 'no-cache'])
/** Akamai has one more, which says nothing to other caches. */
const FORBIDDING_AT_EDGE = new Set([...FORBIDDING, 'bypass-cache'])
/** Directives that let shared caches keep a response, whatever stands beside them. */
const ALLOWING = new Set(['public', 's-maxage', '!no-store', '!no-cache', '!bypass-cache'])
/** Directives for what is done with the body: alone they let nobody keep it. */
const PROCESSING = new Set(['content', 'dca', 'esi'])

const NO_STORE = 'no-store'
const COOKIE = 'Cookie'

/** A response with a session cookie is for one visitor (OWASP Session Management, Web Content Caching). */
export function forbidCaching(headers: HeaderList): void {
  let marks: string[] | undefined
  for (const name of headers.keys()) {
    if (isMark(name, headers))
      (marks ??= []).push(name)
  }
  marks?.forEach(name => headers.delete(name))
  if (headers.get('cache-control') === null)
    headers.set('cache-control', NO_STORE)
  varyByCookie(headers)
}

/** As {@link forbidCaching}, where `no-cache` is a word of the framework: what it puts on error pages lets the browser keep them. */
export function forbidStoring(headers: HeaderList): void {
  forbidCaching(headers)
  if (headers.get('cache-control') === 'no-cache')
    headers.set('cache-control', NO_STORE)
}

/** True when a header lets caches keep the response that others share. */
export function isForSharedCaches(headers: HeaderList): boolean {
  for (const name of headers.keys()) {
    if (isMark(name, headers))
      return true
  }
  return false
}

/** Lets caches tell visitors apart. */
export function varyByCookie(headers: HeaderList): void {
  const vary = headers.get('vary')
  if (!vary)
    headers.set('vary', COOKIE)
  else if (vary !== COOKIE && !directivesOf(vary).some(({ name }) => name === 'cookie' || name === '*'))
    headers.set('vary', `${vary}, Cookie`)
}

function isMark(name: string, headers: HeaderList): boolean {
  // Most headers are none of these.
  if (!name.endsWith('-control') && !name.endsWith('expires'))
    return false
  const value = headers.get(name) ?? ''
  switch (name) {
    case 'cache-control':
      return value !== NO_STORE && allows(directivesOf(value))
    case 'expires':
      return !isForbidden(headers) && isInFuture(value)
    case 'edge-control':
      return isTargetedMark(value, FORBIDDING_AT_EDGE)
    case 'x-accel-expires':
      return !/^0+$/.test(value)
    default:
      return (name.endsWith('-cache-control') || name === 'surrogate-control') && isTargetedMark(value)
  }
}

/** True for a header that goes before Cache-Control in the caches of one host (RFC 9213) and lets them keep the response. */
function isTargetedMark(value: string, forbidding?: ReadonlySet<string>): boolean {
  const directives = directivesOf(value).filter(({ name }) => !PROCESSING.has(name))
  return directives.length > 0 && allows(directives, forbidding)
}

function allows(directives: readonly Directive[], forbidding: ReadonlySet<string> = FORBIDDING): boolean {
  return directives.some(({ name }) => ALLOWING.has(name)) || !directives.some(({ name, isBare }) => isBare && forbidding.has(name))
}

/** True when Cache-Control keeps the response out of shared caches, which then ignore `Expires`. */
function isForbidden(headers: HeaderList): boolean {
  const cacheControl = headers.get('cache-control')
  return cacheControl !== null && !allows(directivesOf(cacheControl))
}

/** Dates of HTTP begin with the day of the week. What is no date lies in the past (RFC 9111, section 5.3). */
function isInFuture(date: string): boolean {
  return /^(?:mon|tue|wed|thu|fri|sat|sun)/i.test(date) && Date.parse(date.endsWith('GMT') ? date : `${date} GMT`) > Date.now()
}

interface Directive {
  /** In lower case. */
  readonly name: string
  /** False with an argument: `private="x"` is about the header `x` alone. */
  readonly isBare: boolean
}

/** The members of a list header. */
function directivesOf(value: string): Directive[] {
  const directives: Directive[] = []
  for (const member of membersOf(value.toLowerCase())) {
    const equals = member.indexOf('=')
    const [name = '', ...others] = wordsOf(equals < 0 ? member : member.slice(0, equals))
    if (name !== '')
      directives.push({ name, isBare: equals < 0 && others.length === 0 })
  }
  return directives
}

/** What stands between the spaces of HTTP, which are fewer than those of JavaScript. */
function wordsOf(text: string): string[] {
  return text.split(/[ \t]/).filter(word => word !== '')
}

/** Parts a list at its commas (RFC 9110, section 5.6). Those inside of quoted strings, where `\` escapes a quote, do not count. */
function membersOf(list: string): string[] {
  if (!list.includes('"'))
    return list.split(',')
  const members: string[] = []
  let start = 0
  let isQuoted = false
  for (let at = 0; at < list.length; at++) {
    const character = list[at]
    if (character === '"')
      isQuoted = !isQuoted
    else if (character === '\\' && isQuoted)
      at++
    else if (character === ',' && !isQuoted) {
      members.push(list.slice(start, at))
      start = at + 1
    }
  }
  members.push(list.slice(start))
  return members
}
