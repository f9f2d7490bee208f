import type { RequestAddress } from '../core/ports'
import type { EventResponse } from '../http/response-cookies'
import type { HeaderList } from '../http/headers'
import type { NodeResponse } from '../http/node-response'
import { sessionsOwnedBy } from '../http/find-sessions'

/** An event of h3 v2. */
export interface H3V2Event {
  context: object
  req: { headers: Pick<Headers, 'get' | 'has' | 'keys'>, url: string }
  res: { headers: HeaderList, errHeaders?: HeaderList | undefined }
  runtime?: { node?: { res?: object | undefined } | undefined } | undefined
  app?: { config: AppConfig } | undefined
  waitUntil?: ((promise: Promise<unknown>) => void) | undefined
}

/** What an app of h3 v2 does with all of its responses. */
export interface AppConfig {
  onError?: ((error: never, event: never) => unknown) | undefined
  onResponse?: ((response: Response, event: never) => unknown) | undefined
}

export function isV2(event: object): event is H3V2Event {
  const { headers } = (event as Partial<H3V2Event>).req ?? {}
  return typeof headers?.get === 'function'
}

export class V2Response implements EventResponse {
  readonly node: NodeResponse | undefined
  readonly isFinished: boolean
  readonly #event: H3V2Event
  readonly #res: H3V2Event['res']

  constructor(event: H3V2Event) {
    this.#event = event
    this.#res = event.res
    this.node = event.runtime?.node?.res as NodeResponse | undefined
    this.isFinished = event.app !== undefined && !Object.isFrozen(event.app.config)
  }

  get headers(): readonly HeaderList[] {
    const { headers, errHeaders } = this.#res
    return errHeaders ? [headers, errHeaders] : [headers]
  }

  get cookieHeader(): string | undefined { return this.#event.req.headers.get('cookie') ?? undefined }
  get address(): RequestAddress { return addressOf(this.#event.req) }
  // h3 takes what was prepared for the response, and then gives the event another.
  get isSent(): boolean { return this.#event.res !== this.#res || this.node?.headersSent === true }
  get haveHeadersLeft(): boolean { return this.isSent }
}

function addressOf({ headers, url }: H3V2Event['req']): RequestAddress {
  const { host, pathname } = new URL(url)
  return { host: headers.get('host') ?? host, path: pathname }
}

const known = new WeakSet<object>()

/**
 * Gives sessions the last word on the headers of all responses of an app, also on those that
 * its own error handler makes and that h3 leaves as they are.
 */
export function finishResponses({ config }: { config: AppConfig }): void {
  if (known.has(config) || Object.isFrozen(config))
    return
  known.add(config)
  const onError = config.onError as ((error: unknown, event: H3V2Event) => unknown) | undefined
  const onResponse = config.onResponse as ((response: Response, event: H3V2Event) => unknown) | undefined
  Object.assign(config, {
    ...(onError && {
      async onError(error: unknown, event: H3V2Event) {
        const answer = await onError(error, event)
        // That of `Response.redirect` or of a fetch cannot be changed.
        return answer instanceof Response ? new Response(answer.body, answer) : answer
      },
    }),
    async onResponse(response: Response, event: H3V2Event) {
      // Internal requests, and others on hosts that give one context to all, find those of another event.
      const sessions = sessionsOwnedBy(event)
      // For handlers without the middleware; a response of Node waits by itself. Who writes logs failures.
      if (!event.runtime?.node?.res)
        await sessions?.flush()?.catch(() => {})
      // Also where Node's are finished as they leave: a cache may stand between the app and the server.
      sessions?.finish(response.headers)
      await onResponse?.(response, event)
    },
  })
}
