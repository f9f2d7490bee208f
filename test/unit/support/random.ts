/** Random numbers that a seed repeats (mulberry32). */
export interface Random {
  /** A whole number from 0 up to, not including, the limit. */
  below(limit: number): number
  pick<T>(items: readonly T[]): T
}

export function createRandom(seed: number): Random {
  let state = seed
  const below = (limit: number): number => {
    state = state + 0x6D2B79F5 | 0
    let mixed = Math.imul(state ^ state >>> 15, 1 | state)
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed
    return Math.floor(((mixed ^ mixed >>> 14) >>> 0) / 0x1_0000_0000 * limit)
  }
  return {
    below,
    pick<T>(items: readonly T[]): T {
      return items[below(items.length)] as T
    },
  }
}
