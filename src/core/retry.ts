/** How often a write may lose the race for a record before it gives up. */
const MAX_ATTEMPTS = 30

/** Milliseconds of the longest pause between two attempts. */
const MAX_PAUSE = 50

/**
 * Runs an attempt again until it answers something, with pauses that grow and differ, so
 * that processes which lost to each other do not meet again.
 *
 * @returns undefined when every attempt lost
 */
export async function retry<T>(attempt: () => Promise<T | undefined>, random: () => number = Math.random): Promise<T | undefined> {
  for (let count = 0; count < MAX_ATTEMPTS; count++) {
    const result = await attempt()
    if (result !== undefined)
      return result
    await new Promise(resolve => setTimeout(resolve, random() * Math.min(2 ** count, MAX_PAUSE)))
  }
  return undefined
}
