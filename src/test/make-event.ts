import type { IncomingMessage, ServerResponse } from 'node:http'
import { SessionError } from '../core/errors'

/** What is used of h3: v2 has the class, and v1 the function. */
export interface H3Library {
  H3Event?: unknown
  createEvent?: unknown
}

/** What a request is made of. */
export interface RequestParts {
  method?: string
  path?: string
  headers?: Record<string, string>
  body?: object | string
  params?: Record<string, string>
  cookie?: string | undefined
}

/** An event of the major that the app has. */
export async function makeEvent({ params, ...parts }: RequestParts, given?: H3Library): Promise<{ context: object }> {
  const { createEvent, H3Event } = given ?? await findH3()
  const request = toRequest(parts)
  const event = typeof createEvent === 'function'
    ? await makeV1(request, createEvent as CreateEvent)
    : new (H3Event as new (request: Request) => { context: object })(request)
  if (params)
    Object.assign(event.context, { params })
  return event
}

/** That of an app of Nitro 3 may be seen by Nitro alone. */
async function findH3(): Promise<H3Library> {
  for (const name of ['h3', 'nitro/h3']) {
    try {
      return await import(/* @vite-ignore */ name) as H3Library
    }
    catch {
      // The next one, or the error below.
    }
  }
  throw new SessionError('CONFIG_ERROR', '`createSessionEvent` makes an event of h3, and finds none. Install `h3` as a development dependency, or pass the one that the app has: `createSessionEvent({ h3: await import(\'nitro/h3\') })`.')
}

function toRequest({ method, path = '/', headers = {}, body, cookie }: Omit<RequestParts, 'params'>): Request {
  const isJson = typeof body === 'object' && [Object.prototype, Array.prototype, null].includes(Object.getPrototypeOf(body))
  const request = new Request(new URL(path, 'http://localhost'), {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { host: 'localhost', ...(isJson && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: isJson ? JSON.stringify(body) : body as BodyInit }),
  })
  const cookies = [request.headers.get('cookie'), cookie].filter(Boolean)
  if (cookies.length > 0)
    request.headers.set('cookie', cookies.join('; '))
  return request
}

type CreateEvent = (req: IncomingMessage, res: ServerResponse) => { context: object }

async function makeV1(request: Request, createEvent: CreateEvent): Promise<{ context: object }> {
  const [{ IncomingMessage, ServerResponse }, { Socket }] = await Promise.all([import('node:http'), import('node:net')])
  const { pathname, search } = new URL(request.url)
  const req = new IncomingMessage(new Socket())
  Object.assign(req, {
    method: request.method,
    url: pathname + search,
    headers: Object.fromEntries(request.headers),
    // Where h3 looks before it reads the connection, which brings nothing.
    ...(request.body && { body: Buffer.from(await request.arrayBuffer()) }),
  })
  return createEvent(req, new ServerResponse(req))
}
