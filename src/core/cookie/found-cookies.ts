import type { FoundToken } from '../session/found-token'
import type { TokenCodec, TokenFault } from './token'
import { MAX_COOKIE_BYTES } from './set-cookie'
import { normalizeValue, readCookies } from './header'

/** The cookies of our name in one request. */
export interface FoundCookies {
  /** How many there are, verified or not. */
  readonly count: number
  /** Those that verify, each once: in storage mode as the browser sent them, in cookie mode the newest first. */
  readonly tokens: readonly FoundToken[]
  /** Why the others were refused. */
  readonly fault: TokenFault | undefined
}

const NONE: FoundCookies = { count: 0, tokens: [], fault: undefined }

/** Looks at all cookies of a name. Never throws, whatever the header. */
export function findCookies(header: string | undefined, name: string, codec: TokenCodec): FoundCookies {
  const values = readCookies(header, name)
  if (values.length === 0)
    return NONE
  const tokens: FoundToken[] = []
  let fault: TokenFault | undefined
  for (const text of new Set(values.map(normalizeValue))) {
    const opened = text === undefined || text.length > MAX_COOKIE_BYTES ? 'malformed' : codec.read(text)
    if (typeof opened === 'object')
      tokens.push({ text: text!, content: opened.content, isOutdated: opened.isOutdated })
    else
      fault = opened === 'signature' ? opened : fault ?? opened
  }
  return { count: values.length, tokens: codec.holdsRecord ? tokens.sort(byAge) : tokens, fault }
}

/** The newest first. */
function byAge({ content: { record: a } }: FoundToken, { content: { record: b } }: FoundToken): number {
  return b!.lastSeenAt - a!.lastSeenAt || b!.createdAt - a!.createdAt
}
