import type { HeaderList } from '../headers'

const NEW_LINE = '\r\n'
const END = NEW_LINE + NEW_LINE

/** The head of an HTTP/1.1 response, as it goes over the wire. It stays one text: most have little to look up. */
export class Http1Head implements HeaderList {
  /** With the empty line at its end. */
  #text: string
  /** The text in lower case, by which names are found: each character of it stands where it stood. */
  #lower: string | undefined

  constructor(text: string) {
    this.#text = text
  }

  set statusLine(line: string) {
    this.#become(line + this.#text.slice(this.#text.indexOf(NEW_LINE)))
  }

  get(name: string): string | null {
    const values = this.#valuesOf(name)
    return values.length > 0 ? values.join(', ') : null
  }

  set(name: string, value: string): void {
    this.delete(name)
    this.append(name, value)
  }

  append(name: string, value: string): void {
    this.#become(`${this.#text.slice(0, -NEW_LINE.length)}${name}: ${value}${END}`)
  }

  delete(name: string): void {
    for (let at = this.#find(name, 0); at >= 0; at = this.#find(name, at))
      this.#become(this.#text.slice(0, at) + this.#text.slice(this.#endOf(at)))
  }

  getSetCookie(): string[] {
    return this.#valuesOf('set-cookie')
  }

  keys(): ReturnType<Headers['keys']> {
    const names: string[] = []
    for (let at = this.#endOf(0); at < this.#text.length - END.length; at = this.#endOf(at))
      names.push(this.#lowerText.slice(at + NEW_LINE.length, this.#text.indexOf(':', at)))
    return names.values() as ReturnType<Headers['keys']>
  }

  toString(): string {
    return this.#text
  }

  #valuesOf(name: string): string[] {
    const values: string[] = []
    for (let at = this.#find(name, 0); at >= 0; at = this.#find(name, this.#endOf(at)))
      values.push(this.#text.slice(at + NEW_LINE.length + name.length + 1, this.#endOf(at)).trim())
    return values
  }

  /** Where the line break before the next field of a name is; -1 where none follows. */
  #find(name: string, from: number): number {
    return this.#lowerText.indexOf(`${NEW_LINE}${name.toLowerCase()}:`, from)
  }

  /** Where the line that begins behind a line break ends. */
  #endOf(at: number): number {
    return this.#text.indexOf(NEW_LINE, at + NEW_LINE.length)
  }

  get #lowerText(): string {
    return this.#lower ??= inLowerCase(this.#text)
  }

  #become(text: string): void {
    this.#text = text
    this.#lower = undefined
  }
}

/**
 * A text whose characters all stay where they are. Node takes the name of a file in
 * `Content-Disposition` for UTF-8, so a head may hold `İ`, of which lower case makes two characters.
 */
function inLowerCase(text: string): string {
  const lower = text.toLowerCase()
  return lower.length === text.length ? lower : text.replaceAll(/[A-Z]/g, letter => letter.toLowerCase())
}
