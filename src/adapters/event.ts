import type { NodeResponse } from './node-response'

/** An h3 v1 event, by its shape: no import of h3 is needed. */
export interface SessionEvent {
  context: object
  node: {
    req: { headers: { cookie?: string | undefined } }
    res: object
  }
}

/** The response of an event. */
export function responseOf(event: SessionEvent): NodeResponse {
  return event.node.res as NodeResponse
}

/**
 * True for the responses that workers, Bun, Deno and internal requests get: objects without
 * a socket, which are read when the handler has ended.
 */
export function isMockResponse(res: object): boolean {
  return '__unenv__' in res
}
