import type { PageSession } from '../../../core/types'
import type { SessionState } from '../../wire'
import type { H3Event } from 'h3'
import { createError, defineEventHandler, readBody } from 'h3'
import { getBag } from '../../../adapters/bag'

const MAX_KEYS = 100

/**
 * What pages in the browser may do with the session: see the exposed data (GET), take
 * messages (POST) and end it (DELETE). None of it can be asked for by another site: a body of
 * this type and this method need a preflight (Fetch, CORS protocol).
 */
export default defineEventHandler(async (event): Promise<SessionState> => {
  const { req, res } = event.node
  res.setHeader('cache-control', 'no-store')
  const session = getBag(event.context)!.page(event)!
  await session.load()
  if (event.method === 'GET' || event.method === 'HEAD')
    return toState(session)
  if (event.method === 'DELETE') {
    await session.destroy()
    return toState(session)
  }
  if (event.method !== 'POST')
    throw createError({ statusCode: 405 })
  if (!/^application\/json\b/i.test(req.headers['content-type'] ?? ''))
    throw createError({ statusCode: 415 })
  const keys = await readKeys(event)
  const messages = Object.fromEntries(keys.map(key => [key, session.takeMessage(key)]))
  return { ...toState(session), messages }
})

function toState({ data, hasMessages }: PageSession): SessionState {
  return { data, hasMessages }
}

async function readKeys(event: H3Event): Promise<string[]> {
  const { flash } = Object(await readBody<unknown>(event)) as { flash?: unknown }
  if (!Array.isArray(flash) || flash.length > MAX_KEYS || !flash.every(key => typeof key === 'string'))
    throw createError({ statusCode: 400 })
  return flash
}
