/** A seeded source of numbers (mulberry32), so that a failing run can be repeated. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6D2B79F5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** Valid cookies to start from, and those that are valid only elsewhere. */
export interface Seeds {
  valid: readonly string[]
  /** Of another name, another secret, another mode, another library. */
  foreign: readonly string[]
}

const HEADER_CHARS = Array.from({ length: 0x7E - 0x21 + 1 }, (_, index) => String.fromCharCode(0x21 + index)).filter(char => char !== ';')

/** A cookie value that no server of ours may accept, sendable in a header. */
export function mutate({ valid, foreign }: Seeds, random: (below: number) => number): string {
  const text = valid[random(valid.length)]!
  const at = random(text.length)
  const other = (char: string): string => {
    const replacement = HEADER_CHARS[random(HEADER_CHARS.length)]!
    return replacement === char ? other(char) : replacement
  }
  switch (random(9)) {
    case 0: return text.slice(0, at) + other(text[at]!) + text.slice(at + 1)
    case 1: return text.slice(0, at)
    case 2: return text.slice(0, at) + text.slice(at + 1)
    case 3: return text.slice(0, at) + other('') + text.slice(at)
    case 4: return `${text}${['=', '==', '.', 'A', '%3D', text][random(6)]}`
    case 5: return foreign[random(foreign.length)]!
    // Encoded once it would be the same cookie.
    case 6: return `${text.slice(0, at)}%25${text.charCodeAt(at).toString(16)}${text.slice(at + 1)}`
    case 7: return Array.from({ length: 1 + random(200) }, () => HEADER_CHARS[random(HEADER_CHARS.length)]).join('')
    default: return random(50) === 0 ? 'x'.repeat(10_000) : text.split('').toReversed().join('')
  }
}
