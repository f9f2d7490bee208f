import type { Session as ExpressSession } from 'express-session'
import type { ErrorRequestHandler, Request, RequestHandler } from 'express'
import type { H3Event } from 'h3'
import type { AddressInfo } from 'node:net'
import type { SessionOptions } from '../../../src/h3'
import type { Visitor } from '../../support/browser'
import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import express from 'express'
import fastify from 'fastify'
import { createApp, eventHandler, toNodeListener } from 'h3'
import { createStorage } from 'unstorage'
import { onTestFinished } from 'vitest'
import { sessionMiddleware } from '../../../src/h3'
import { createVisitor } from '../../support/browser'
import { SECRET } from './app'
import { serve } from './server'

/** A request of express, with whatever session its middleware gives. */
export type ExpressRequest = Request & { session: ExpressSession & Record<string, unknown>, sessionID: string }

/** One of several browsers with the same cookies. */
export interface Guest extends Visitor {
  /** Another with the cookies of now. */
  twin(): Guest
}

function createGuest(port: number, cookies?: Map<string, string>): Guest {
  const visitor = createVisitor(`http://127.0.0.1:${port}`, cookies)
  return { ...visitor, twin: () => createGuest(port, new Map(visitor.cookies)) }
}

/** A visitor of an express app that answers all requests with what the handler returns. */
export async function visitExpress(middleware: RequestHandler, handler: (req: ExpressRequest) => unknown): Promise<Guest> {
  const app = express()
  app.use(middleware)
  app.use(async (req, res) => {
    res.json(await handler(req as ExpressRequest) ?? null)
  })
  const onError: ErrorRequestHandler = (error, _req, res, _next) => void res.status(500).json({ message: String(error) })
  app.use(onError)
  return createGuest((await serve(app)).port)
}

/** What `@fastify/session` puts on a request. */
export interface FastifySession {
  [key: string]: unknown
  readonly sessionId: string
  set(key: string, value: unknown): void
  regenerate(keys?: string[]): Promise<void>
  destroy(): Promise<void>
}

/** A visitor of an app with `@fastify/session`, likewise. */
export async function visitFastify(handler: (req: { url: string, session: FastifySession | null }) => unknown, { cookie, ...options }: { cookie?: object, [option: string]: unknown } = {}): Promise<Guest> {
  const app = fastify()
  await app.register(fastifyCookie)
  await app.register(fastifySession, { secret: SECRET, ...options, cookie: { secure: false, ...cookie } })
  app.all('*', async (req, reply) => reply.send(JSON.stringify(await handler(req as never) ?? null)))
  await app.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => app.close())
  return createGuest((app.server.address() as AddressInfo).port)
}

/** A visitor of an app of ours, likewise. */
export async function visitOurs(handler: (event: H3Event) => unknown, options: Partial<SessionOptions> = {}): Promise<Guest> {
  const app = createApp()
  app.use(sessionMiddleware({ secret: SECRET, store: createStorage(), ...options }))
  app.use(eventHandler(async event => await handler(event) ?? null))
  return createGuest((await serve(toNodeListener(app))).port)
}
