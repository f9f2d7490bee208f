/** A handler that awaits a loaded session and then changes it takes fewer microtasks than this. */
const MICROTASKS = 4

/** How a change is saved that no response waits for. */
export interface Saving {
  save(): Promise<void>
  onUnsaved(error: unknown): void
  /** Keeps the host from ending before. */
  waitUntil?: ((saved: Promise<void>) => void) | undefined
}

/** Makes a function that saves as soon as the running code awaits something, however often it is called until then. */
export function createSaver({ save, onUnsaved, waitUntil }: Saving): () => void {
  let isDue = false
  return () => {
    if (isDue)
      return
    isDue = true
    const saved = afterMicrotasks().then(() => {
      const saving = save()
      // Saving is itself told as a change.
      isDue = false
      return saving
    }).catch(onUnsaved)
    waitUntil?.(saved)
  }
}

/** Resolves when the handler awaits something that is not there yet, so that all changes before are one write. */
export async function afterMicrotasks(): Promise<void> {
  for (let count = 0; count < MICROTASKS; count++)
    await undefined
}
