import { channel as name } from '#build/unsession.mjs'
import { sessionUrl } from './requests'

export interface TabsOptions {
  /** Another tab tells what it knows of the session; a reply wants no reply. */
  hear(data: unknown, isReply: boolean): void
  /** This tab is looked at again. */
  show(): unknown
  /** The browser restored this page as it was when it was left. */
  restore(): void
}

/**
 * Follows the other tabs of this app, and what becomes of this one.
 *
 * @returns what tells the other tabs what this one knows of the session
 */
export function followTabs({ hear, show, restore }: TabsOptions): (data: object | undefined, isReply: boolean) => void {
  const fullName = name + sessionUrl()
  let channel: BroadcastChannel | undefined
  const open = (): void => {
    channel = new BroadcastChannel(fullName)
    channel.addEventListener('message', ({ data: [data, isReply] }) => hear(data, isReply))
  }
  open()
  // A page with an open channel may not be kept for the back button.
  window.addEventListener('pagehide', () => {
    channel?.close()
    channel = undefined
  })
  window.addEventListener('pageshow', ({ persisted }) => {
    if (!persisted)
      return
    open()
    restore()
    show()
  })
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible')
      show()
  })
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has no other origin
  return (...message) => channel?.postMessage(message)
}
