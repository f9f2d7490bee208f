import type { EventExchange, ExchangeOptions } from '../http/exchange'
import type { H3V1Event } from './h3-v1'
import type { H3V2Event } from './h3-v2'
import { createExchange } from '../http/exchange'
import { describeV1 } from './h3-v1'
import { describeV2, isV2 } from './h3-v2'

/** An event of h3, by its shape: no import of h3 is needed. */
export type SessionEvent = H3V1Event | H3V2Event

/** The exchange of an event of either major. */
export function createEventExchange(event: SessionEvent, options: ExchangeOptions): EventExchange {
  return createExchange(isV2(event) ? describeV2(event) : describeV1(event), options)
}
