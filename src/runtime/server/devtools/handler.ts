import type { Manager } from '../../../core/manager'
import type { ServerEvent } from '../app'
import { icon, page, path } from '#unsession/devtools'
import { baseURL, pathOf } from '#unsession/server'
import { sessionsIn } from '../../../http/find-sessions'
import { randomBytes } from '../../../core/crypto/index'
import { toBase64Url } from '../../../core/encoding'
import { readCurrent } from './current'
import { isLocal } from './host'
import { listStored, removeStored } from './stored'

const HANDLE = /^sessions\/([\da-f]{12})$/

/** A middleware that answers what is below the page's path, and nothing else. */
export async function answerDevtools(event: ServerEvent): Promise<Response | undefined> {
  const [, first, ...rest] = pathOf(event).split('/')
  const manager = sessionsIn(event.context)?.manager
  if (!manager || first !== path)
    return undefined
  if (!isLocal(event.headers))
    return answer(`This page is only for requests to localhost or to an IP address: by a name of its own, another site could read and delete the sessions (DNS rebinding). Open http://localhost:<port>${baseURL().replace(/\/$/, '')}/${path} instead.`, {}, 403)
  const route = rest.join('/')
  if (isReading(event) && route === '')
    return answerPage()
  if (isReading(event) && route === 'icon.svg')
    return answer(icon, { 'content-type': 'image/svg+xml' })
  if (!isSameOrigin(event))
    return answer('Another site may not see or change sessions.', {}, 403)
  if (isReading(event) && route === 'state')
    return answer(JSON.stringify(await readState(event, manager)), { 'content-type': 'application/json' })
  const [, handle] = HANDLE.exec(route) ?? []
  // The method alone makes browsers ask before they send it for another site.
  if (event.method === 'DELETE' && handle)
    return await remove(event, manager, handle) ? answer(null, {}, 204) : answer('There is no such session.', {}, 404)
  return answer('There is nothing here.', {}, 404)
}

async function readState(event: ServerEvent, manager: Manager): Promise<object> {
  const { mode, maxAge, idleTimeout, encrypt, expose, cookie } = manager.options
  const current = await readCurrent(event, manager)
  return { now: Date.now(), mode, maxAge, idleTimeout, encrypt, expose, cookie, current, stored: await listStored(manager, current.handle) }
}

/** Ends the visitor's own session as the app would, cookie and hooks included; of others the record goes. */
async function remove(event: ServerEvent, manager: Manager, handle: string): Promise<boolean> {
  const current = await readCurrent(event, manager)
  if (current.handle !== handle)
    return removeStored(manager, handle)
  await sessionsIn(event.context)?.open(event).handle.destroy()
  return true
}

function answerPage(): Response {
  const base = `${baseURL().replace(/\/$/, '')}/${path}`
  const nonce = toBase64Url(randomBytes(16))
  const html = page.replaceAll('{{nonce}}', nonce).replaceAll('{{base}}', base)
  return answer(html, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; img-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'self'`,
  })
}

function answer(body: string | null, headers: Record<string, string>, status = 200): Response {
  return new Response(body, { status, headers: { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...headers } })
}

function isReading({ method }: ServerEvent): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** Browsers name the site that asks, or at least its origin; programs name none. */
function isSameOrigin({ headers }: ServerEvent): boolean {
  const site = headers.get('sec-fetch-site')
  if (site)
    return site === 'same-origin' || site === 'none'
  const origin = headers.get('origin')
  return origin === null || origin.replace(/^[a-z]+:\/\//, '') === headers.get('host')
}
