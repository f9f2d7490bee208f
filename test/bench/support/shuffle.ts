import { createRandom } from '../../support/mutations'

export type Shuffle = <T>(items: readonly T[]) => T[]

/** Puts lists into random orders, the same ones in every run. */
export function createShuffle(): Shuffle {
  const random = createRandom(1)
  return items => items.map(item => ({ item, order: random(2 ** 30) })).sort((a, b) => a.order - b.order).map(({ item }) => item)
}
