import type { NodeResponse } from '../node-response'
import type { HeldResponse, Holder } from './hold'
import { Holders } from './holders'
import { holdHttp1, isHttp1 } from './http1'
import { holdHttp2, isHttp2 } from './http2'
import { WaitingCalls } from './waiting-calls'

export type { HeldResponse, Holder } from './hold'

/** Runtimes that have responses of their own under the names of Node. */
const isEmulated = 'Bun' in globalThis || 'Deno' in globalThis

/** Where a response has what holds it. A WeakMap with an entry for every response costs the garbage collector a fifth of a read. */
const HELD = Symbol('held')

interface MaybeHeld extends NodeResponse {
  [HELD]?: { readonly response: HeldResponse, readonly holders: Holders }
}

/**
 * Makes a Node response wait: whatever starts it (a returned value, a redirect, a stream, a
 * direct `res.end`), nothing of it leaves until `flush` resolved. When `flush` rejects, an
 * error is sent in its place and everything else is dropped.
 */
export function holdNodeResponse(res: MaybeHeld, holder: Holder): HeldResponse {
  const held = res[HELD]
  if (held) {
    held.holders.add(holder)
    return held.response
  }
  const holders = new Holders(holder)
  const response = hold(res, holders)
  res[HELD] = { response, holders }
  return response
}

function hold(res: NodeResponse, holder: Holder): HeldResponse {
  if (!isEmulated && isHttp2(res))
    return holdHttp2(res, holder)
  if (!isEmulated && isHttp1(res))
    return holdHttp1(res, holder)
  return new WaitingCalls(res, holder)
}
