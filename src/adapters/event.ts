import type { EventResponse } from '../http/response-cookies'
import type { H3V1Event } from './h3-v1'
import type { H3V2Event } from './h3-v2'
import { V1Response } from './h3-v1'
import { isV2, V2Response } from './h3-v2'

/** An event of h3, by its shape: no import of h3 is needed. */
export type SessionEvent = H3V1Event | H3V2Event

/** True for an event of a request over HTTP. */
export function isEvent(value: unknown): value is SessionEvent {
  const { context, node } = Object(value) as Partial<H3V1Event>
  return typeof context === 'object' && (isV2(value as object) || typeof node?.req === 'object')
}

/** True for an event that has what sessions need of its request and its response; one that was written by hand may lack it. */
export function isWhole(event: unknown): event is SessionEvent {
  if (!isEvent(event))
    return false
  if (isV2(event))
    return typeof event.req.url === 'string' && typeof Object(event.res).headers === 'object'
  const { req, res } = event.node as { req: { headers?: unknown }, res?: { setHeader?: unknown } }
  return typeof req.headers === 'object' && typeof Object(res).setHeader === 'function'
}

/** The response of an event of either major, as it is when its handlers begin. */
export function describeEvent(event: SessionEvent): EventResponse {
  return isV2(event) ? new V2Response(event) : new V1Response(event)
}
