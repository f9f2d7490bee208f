import type { H3Event } from 'h3'

/** The named text fields of a posted form; a missing one is empty. */
export async function readFields<K extends string>(event: H3Event, ...names: K[]): Promise<Record<K, string>> {
  const body = new Map(Object.entries(await readBody<object | undefined>(event) ?? {}))
  return Object.fromEntries(names.map(name => [name, String(body.get(name) ?? '')])) as Record<K, string>
}

/** Sends the visitor back to the page that posted the form, if it was one of ours. */
export function redirectBack(event: H3Event): Promise<void> {
  const referer = getHeader(event, 'referer') ?? ''
  const { origin } = getRequestURL(event)
  return sendRedirect(event, referer.startsWith(`${origin}/`) ? referer : '/', 303)
}
