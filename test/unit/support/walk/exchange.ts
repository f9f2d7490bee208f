import { createSaver, type Saving } from '../../../../src/http/save-soon'
import { FakeExchange } from '../exchange'

/** A request and its response, which saves what changes after it has begun. */
export class WalkExchange extends FakeExchange {
  readonly cookieObstacle?: string
  readonly #saveSoon: () => void

  /** @param isSocket true for the connection of a WebSocket, which never can send a cookie */
  constructor(cookieHeader: string | undefined, saving: Saving, isSocket: boolean) {
    super(cookieHeader)
    this.#saveSoon = createSaver(saving)
    if (isSocket)
      this.cookieObstacle = 'An open WebSocket cannot send a cookie.'
  }

  override setCookies(name: string, lines: readonly string[]): void {
    if (!this.cookieObstacle)
      super.setCookies(name, lines)
  }

  override hold(): void {
    super.hold()
    if (this.isSent || this.cookieObstacle)
      this.#saveSoon()
  }
}
