import type { WalkRequest } from './request'

/** Waits as a host does, as long as there is something to wait for, and then answers at once. */
export async function settle({ opened }: WalkRequest, answer: (error?: unknown) => void): Promise<void> {
  try {
    for (let round = 0; round < 20; round++) {
      const settling = opened.commit()
      if (!settling)
        return answer()
      await settling
    }
    answer(new Error('A session is never settled.'))
  }
  catch (error) {
    answer(error)
  }
}
