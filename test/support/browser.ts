/** A visitor: keeps cookies by name and sends them back, follows no redirect. */
export interface Visitor {
  readonly cookies: Map<string, string>
  fetch(path: string, init?: RequestInit): Promise<Response>
  json<T = unknown>(path: string, init?: RequestInit): Promise<T>
  post(path: string, body?: unknown): Promise<Response>
}

/** @param send for apps that no server listens for */
export function createVisitor(origin: string, cookies = new Map<string, string>(), send: (url: URL, init: RequestInit) => Promise<Response> = fetch): Visitor {
  const visitor: Visitor = {
    cookies,
    async fetch(path, init = {}) {
      const headers = new Headers(init.headers)
      if (cookies.size > 0)
        headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '))
      const response = await send(new URL(path, origin), { redirect: 'manual', ...init, headers })
      for (const line of response.headers.getSetCookie())
        keepCookie(cookies, line)
      return response
    },
    json: async (path, init) => (await visitor.fetch(path, init)).json(),
    post: (path, body) => visitor.fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) }),
  }
  return visitor
}

/** The name of the session cookie where options and environment name none: in production builds. */
export const COOKIE = '__Host-session'

/** The `Set-Cookie` lines of one cookie name. */
export function setCookiesOf(response: Response, name: string): string[] {
  return response.headers.getSetCookie().filter(line => line.startsWith(`${name}=`))
}

/** All `Set-Cookie` lines but those of the mark that goes with the session cookie of apps with pages. */
export function cookieLinesOf(response: Response): string[] {
  return response.headers.getSetCookie().filter(line => !line.startsWith('unsession.'))
}

/** Does with a `Set-Cookie` line what a browser does. */
export function keepCookie(cookies: Map<string, string>, line: string): void {
  const [pair = ''] = line.split(';')
  const equals = pair.indexOf('=')
  const name = pair.slice(0, equals)
  if (/;\s*max-age=0(?:;|$)/i.test(line))
    cookies.delete(name)
  else
    cookies.set(name, pair.slice(equals + 1))
}
