/** To await a session that is loaded, and then change it, takes a handler fewer turns. */
const TURNS = 4

/** Resolves when the handler waits for something that is not there yet, so that what it changes before is one write. */
export async function untilGivenWay(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++)
    await undefined
}
