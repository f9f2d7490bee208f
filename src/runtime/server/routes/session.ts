import type { SessionState } from '../../wire'
import type { H3Event } from 'h3'
import { createError, defineEventHandler, readBody } from 'h3'
import { sessionsIn } from '../../../http/find-sessions'
import { isPrefetch } from '../nitro2/page-request'
import { stateOf } from '../../wire'

const MAX_KEYS = 100
const MAX_BYTES = 16_384

/**
 * What pages in the browser may do with the session: see the exposed data (GET), take
 * messages (POST) and end it (DELETE). None of it can be asked for by another site: a body of
 * this type and this method need a preflight (Fetch, CORS protocol).
 */
export default defineEventHandler(async (event): Promise<SessionState> => {
  const { req, res } = event.node
  res.setHeader('cache-control', 'no-store')
  const session = sessionsIn(event.context)!.page(event)!
  await session.load()
  if (event.method === 'GET' || event.method === 'HEAD')
    return stateOf(session)
  if (event.method === 'DELETE') {
    await session.destroy()
    return stateOf(session)
  }
  if (event.method !== 'POST')
    throw createError({ statusCode: 405 })
  if (!/^application\/json\b/i.test(req.headers['content-type'] ?? ''))
    throw createError({ statusCode: 415 })
  if (!(Number(req.headers['content-length']) <= MAX_BYTES))
    throw createError({ statusCode: 413 })
  const keys = await readKeys(event)
  if (isPrefetch(event))
    return stateOf(session)
  const messages = keys.map(key => [key, session.readMessage(key)] as const)
  messages.forEach(([key, message]) => session.takeMessage(key, message))
  return { ...stateOf(session), messages: Object.fromEntries(messages) }
})


async function readKeys(event: H3Event): Promise<string[]> {
  const { flash } = Object(await readBody<unknown>(event)) as { flash?: unknown }
  if (!Array.isArray(flash) || flash.length > MAX_KEYS || !flash.every(key => typeof key === 'string'))
    throw createError({ statusCode: 400 })
  return flash
}
