import type { ErrorResponse } from '../error-response'
import type { HeaderList } from '../headers'

/** Who makes a response wait. */
export interface Holder {
  /** What the first byte must wait for; `undefined` when there is nothing. */
  flush(): Promise<void> | undefined
  /** Called right before the headers leave, to give the last word on them. */
  finish(headers: HeaderList): void
  /** The response to send when `flush` rejects. */
  toErrorResponse(error: unknown): ErrorResponse
  /** True when it has put headers on the response, which might have none otherwise. */
  addsHeaders?(): boolean
}

/** A response that waits. */
export interface HeldResponse {
  /** True when the headers have left and can no longer change. */
  readonly isReleased: boolean
}
