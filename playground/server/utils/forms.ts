import type { H3Event } from 'h3'

/** The named text fields of a posted form or of JSON; a missing one is empty. */
export async function readFields<K extends string>(event: H3Event, ...names: K[]): Promise<Record<K, string>> {
  const body = new Map(Object.entries(await readBody<object | undefined>(event) ?? {}))
  return Object.fromEntries(names.map(name => [name, String(body.get(name) ?? '')])) as Record<K, string>
}

/**
 * Answers a change: a browser that posted a form is sent to a page, by default the one it came
 * from; `$fetch` is told where that page is.
 */
export function proceed(event: H3Event, to?: string): Promise<void> | { to?: string } {
  return getHeader(event, 'accept')?.includes('text/html')
    ? sendRedirect(event, to ?? previousPage(event), 303)
    : { to }
}

function previousPage(event: H3Event): string {
  const referer = getHeader(event, 'referer') ?? ''
  const { origin } = getRequestURL(event)
  return referer.startsWith(`${origin}/`) ? referer : '/'
}
