const CHANNEL = 'unsession'

export interface TabsOptions {
  /** Another tab tells what it knows of the session; a reply wants no reply. */
  hear(data: unknown, isReply: boolean): void
  /** This tab is looked at again. */
  show(): void
  /** The browser restored this page as it was when it was left. */
  restore(): void
}

export interface Tabs {
  /** Tells the other tabs what this one knows of the session. */
  tell(data: Record<string, unknown> | undefined, isReply?: boolean): void
}

/** The other tabs of this site, and what becomes of this one. */
export function openTabs({ hear, show, restore }: TabsOptions): Tabs {
  let channel: BroadcastChannel | undefined
  const open = (): void => {
    channel = new BroadcastChannel(CHANNEL)
    channel.addEventListener('message', ({ data: { data, isReply } }) => hear(data, isReply))
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
  return { tell: (data, isReply = false) => channel?.postMessage({ data, isReply }) }
}
