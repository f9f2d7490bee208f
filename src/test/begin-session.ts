import type { Exchange } from '../core/ports'
import type { PlainApp } from '../plain/app'
import type { TestContent } from './content'

/**
 * Begins a session as a request to an app without Nitro would.
 *
 * @returns its `Set-Cookie` header; `undefined` for one that holds nothing
 */
export async function beginSession({ managers }: PlainApp, { data, flash }: TestContent): Promise<string | undefined> {
  let header: string | undefined
  const exchange: Exchange = {
    cookieHeader: undefined,
    isSent: false,
    address: { host: undefined, path: '/' },
    setCookies: (_, headers) => header = headers.at(-1),
    close() {},
    holdResponse() {},
  }
  const { handle } = managers.get().open(exchange)
  Object.entries(data).forEach(([key, value]) => handle.set(key, value))
  Object.entries(flash).forEach(([key, message]) => handle.flash(key, message))
  await handle.save()
  return header
}
