import type { HeaderList } from '../headers'

const NEW_LINE = '\r\n'

interface Field {
  /** In lower case. */
  readonly name: string
  readonly line: string
}

/** The head of an HTTP/1.1 response, as it goes over the wire. */
export class Http1Head implements HeaderList {
  /** As it was given, until something changes. */
  #text: string | undefined
  #statusLine: string
  #fields: Field[] = []

  constructor(text: string) {
    this.#text = text
    let start = text.indexOf(NEW_LINE)
    this.#statusLine = text.slice(0, start)
    for (start += 2; ;) {
      const end = text.indexOf(NEW_LINE, start)
      // An empty line ends the head.
      if (end <= start)
        return
      this.#fields.push({ name: text.slice(start, text.indexOf(':', start)).toLowerCase(), line: text.slice(start, end) })
      start = end + 2
    }
  }

  set statusLine(line: string) {
    this.#text = undefined
    this.#statusLine = line
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
    this.#text = undefined
    this.#fields.push({ name: name.toLowerCase(), line: `${name}: ${value}` })
  }

  delete(name: string): void {
    const key = name.toLowerCase()
    if (!this.#fields.some(field => field.name === key))
      return
    this.#text = undefined
    this.#fields = this.#fields.filter(field => field.name !== key)
  }

  getSetCookie(): string[] {
    return this.#valuesOf('set-cookie')
  }

  keys(): ReturnType<Headers['keys']> {
    return this.#fields.map(({ name }) => name).values() as ReturnType<Headers['keys']>
  }

  toString(): string {
    return this.#text ?? `${[this.#statusLine, ...this.#fields.map(({ line }) => line)].join(NEW_LINE)}${NEW_LINE}${NEW_LINE}`
  }

  #valuesOf(name: string): string[] {
    const key = name.toLowerCase()
    return this.#fields.filter(field => field.name === key).map(({ line }) => line.slice(line.indexOf(':') + 1).trim())
  }
}
