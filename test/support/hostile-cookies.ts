/** A `Cookie` header that is made to cost time, of so many bytes. */
export type HostileHeader = (size: number, name: string) => string

const filledWith = (part: string, size: number): string => part.repeat(Math.ceil(size / part.length)).slice(0, size)

/** What browsers send that have many cookies, none of them ours. */
export const HARMLESS_HEADER: HostileHeader = size =>
  Array.from({ length: Math.ceil(size / 100) }, (_, index) => `cookie_${String(index).padStart(4, '0')}=${'x'.repeat(86)}`).join('; ').slice(0, size)

/** Shapes that make careless readers quadratic, or have them verify one thing after the other. */
export const HOSTILE_HEADERS: Record<string, HostileHeader> = {
  'spaces inside the value': (size, name) => `${name}=a${' '.repeat(size)}b`,
  'tabs inside the value': (size, name) => `${name}=a${'\t'.repeat(size)}b`,
  'spaces inside the name': (size, name) => `x${' '.repeat(size)}${name}=a`,
  'spaces between the name and the equals sign': (size, name) => `${name}${' '.repeat(size)}=a`,
  'spaces between the name and something else': (size, name) => `${name}${' '.repeat(size)}x=a`,
  'spaces and no cookie': size => ' '.repeat(size),
  'semicolons': size => ';'.repeat(size),
  'semicolons and spaces': size => filledWith('; ', size),
  'semicolons behind the name': (size, name) => `${name}${';'.repeat(size)}`,
  'semicolons and blanks behind the name': (size, name) => `${name}${filledWith('; ', size)}`,
  'short pairs behind the name': (size, name) => `${name};${filledWith('a=1;', size)}`,
  'longer pairs behind the name': (size, name) => `${name};${filledWith('abcdefghi=123456;', size)}`,
  'semicolons before the name': (size, name) => `${';'.repeat(size)}${name}=a`,
  'the name again and again': (size, name) => filledWith(name, size),
  'the name and spaces': (size, name) => filledWith(`${name}  `, size),
  'the name at the end of other names': (size, name) => filledWith(`x${name}=1;`, size),
  'the beginning of the name': (size, name) => filledWith(name.slice(0, -1), size),
  'our cookie without a value': (size, name) => filledWith(`${name}=;`, size),
  'our cookie with nonsense': (size, name) => filledWith(`${name}=x; `, size),
  'equals signs': (size, name) => `${name}${'='.repeat(size)}`,
  'dots': (size, name) => `${name}=${'.'.repeat(size)}`,
  'spaces between quotes': (size, name) => `${name}="${' '.repeat(size)}"`,
  'spaces around equals signs': (size, name) => filledWith(`${name} = `, size),
  'commas': (size, name) => `${name}=a${filledWith(', ', size)}`,
  'backslashes between quotes': (size, name) => `${name}="${'\\'.repeat(size)}"`,
  'letters beyond ASCII': (size, name) => `${name}=${'\u00E9'.repeat(size)}`,
  'quotes': (size, name) => `${name}=${'"'.repeat(size)}`,
  'percent signs': (size, name) => `${name}=${'%'.repeat(size)}`,
  'percent-encoding': (size, name) => `${name}=${filledWith('%2E', size)}`,
  'broken percent-encoding': (size, name) => `${name}=${filledWith('%2', size)}`,
  'percent-encoding of half a character': (size, name) => `${name}=${filledWith('%E2%82', size)}`,
  'idle marks': (size, name) => filledWith(`${name}=~;`, size),
  'well-formed ids': (size, name) => filledWith(`${name}=abcdefghijklmnopqrstuvwx.${'A'.repeat(43)}; `, size),
  'well-formed payloads': (size, name) => filledWith(`${name}=${'A'.repeat(400)}; `, size),
  'well-formed payloads as large as a cookie': (size, name) => filledWith(`${name}=${'A'.repeat(4000)}; `, size),
  'signed payloads': (size, name) => filledWith(`${name}=${'A'.repeat(400)}.${'A'.repeat(43)}; `, size),
  'a payload that is as long as the header': (size, name) => `${name}=${'A'.repeat(size)}`,
  'seals of h3': (size, name) => filledWith(`${name}=Fe26.2**${'a'.repeat(64)}*${'A'.repeat(22)}*${'A'.repeat(90)}**${'a'.repeat(64)}*${'A'.repeat(43)}; `, size),
  'a cut seal of h3 and its pieces': (size, name) => `${name}=__chunked__99; ${filledWith(`${name}.1=x; `, size)}`,
  'a cut seal of h3 and many cookies': (size, name) => `${name}=__chunked__99; ${filledWith('a=1;', size)}`,
  'cut seals of h3': (size, name) => filledWith(`${name}=__chunked__99; `, size),
}

/** A text that counts how many of its characters are looked at; it can do what reading a header needs. */
export class CountingText {
  readonly #text: string
  steps = 0

  constructor(text: string) {
    this.#text = text
  }

  get length(): number {
    return this.#text.length
  }

  charCodeAt(at: number): number {
    this.steps++
    return this.#text.charCodeAt(at)
  }

  indexOf(part: string, from = 0): number {
    const found = this.#text.indexOf(part, from)
    this.steps += (found < 0 ? this.#text.length : found + part.length) - from
    return found
  }

  lastIndexOf(part: string, from: number): number {
    const found = this.#text.lastIndexOf(part, from)
    this.steps += from - Math.max(found, 0)
    return found
  }

  startsWith(part: string, at: number): boolean {
    this.steps += part.length
    return this.#text.startsWith(part, at)
  }

  slice(start: number, end: number): string {
    this.steps += end - start
    return this.#text.slice(start, end)
  }
}
