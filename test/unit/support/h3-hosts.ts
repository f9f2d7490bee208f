import type { SessionEvent } from '../../../src/adapters/event'
import { createApp, eventHandler, toNodeListener, toWebHandler } from 'h3'
import { H3, serve as serveV2, toNodeHandler, toWebHandler as toWebHandlerV2 } from 'h3-v2'
import { onTestFinished } from 'vitest'
import { createVisitor, type Visitor } from '../../support/browser'
import { serve } from './server'

/** A handler that every host takes. */
export type Handler = (event: SessionEvent) => unknown

/** What is in front of the handler of every path. */
export interface Middleware {
  (event: SessionEvent, next?: () => unknown): unknown
  readonly hooks?: object
}

/** One way of serving an app of one major of h3. */
export interface Host {
  name: string
  major: 1 | 2
  /** True where the response is one of Node. */
  isNode: boolean
  start(handler: Handler, middleware?: Middleware[]): Promise<Visitor>
}

function createV1App(handler: Handler, middleware: Middleware[]): ReturnType<typeof createApp> {
  const app = createApp(middleware.find(({ hooks }) => hooks)?.hooks)
  for (const each of [...middleware, handler])
    app.use(eventHandler(event => each(event) as Promise<unknown>))
  return app
}

function createV2App(handler: Handler, middleware: Middleware[]): H3 {
  const app = new H3({ silent: true })
  for (const each of middleware)
    app.use((event, next) => each(event, next))
  return app.all('/**', event => handler(event))
}

/** A visitor whose requests are calls of a function. */
function visit(fetch: (request: Request) => Response | Promise<Response>): Visitor {
  return createVisitor('http://127.0.0.1', new Map(), async (url, init) => fetch(new Request(url, init)))
}

/** Every way in which the README says that apps are served. */
export const HOSTS: readonly Host[] = [
  {
    name: 'h3 v1, toNodeListener',
    major: 1,
    isNode: true,
    start: async (handler, middleware = []) => createVisitor(`http://127.0.0.1:${(await serve(toNodeListener(createV1App(handler, middleware)))).port}`),
  },
  {
    name: 'h3 v1, toWebHandler',
    major: 1,
    isNode: false,
    start: async (handler, middleware = []) => visit(toWebHandler(createV1App(handler, middleware))),
  },
  {
    name: 'h3 v2, serve',
    major: 2,
    isNode: true,
    async start(handler, middleware = []) {
      const server = serveV2(createV2App(handler, middleware), { port: 0, hostname: '127.0.0.1', silent: true })
      onTestFinished(() => server.close(true))
      await server.ready()
      return createVisitor(server.url!)
    },
  },
  {
    name: 'h3 v2, toNodeHandler',
    major: 2,
    isNode: true,
    start: async (handler, middleware = []) => createVisitor(`http://127.0.0.1:${(await serve(toNodeHandler(createV2App(handler, middleware)) as never)).port}`),
  },
  {
    name: 'h3 v2, app.fetch',
    major: 2,
    isNode: false,
    start: async (handler, middleware = []) => visit(createV2App(handler, middleware).fetch),
  },
  {
    name: 'h3 v2, toWebHandler',
    major: 2,
    isNode: false,
    start: async (handler, middleware = []) => visit(toWebHandlerV2(createV2App(handler, middleware))),
  },
]
