/** To await a session that is loaded, and then change it, takes a handler fewer turns. */
const TURNS = 4

/** How what nothing waits for is saved. */
export interface Saving {
  save(): Promise<void>
  onUnsaved(error: unknown): void
  /** Keeps the host from ending before. */
  waitUntil?: ((saved: Promise<void>) => void) | undefined
}

/** Makes a function that saves as soon as the running code gives way, however often it is called until then. */
export function createSaver({ save, onUnsaved, waitUntil }: Saving): () => void {
  let isDue = false
  return () => {
    if (isDue)
      return
    isDue = true
    const saved = untilGivenWay().then(() => {
      const saving = save()
      // Saving is itself told as a change.
      isDue = false
      return saving
    }).catch(onUnsaved)
    waitUntil?.(saved)
  }
}

/** Resolves when the handler waits for something that is not there yet, so that what it changes before is one write. */
export async function untilGivenWay(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++)
    await undefined
}
