import type { HeaderList } from '../headers'

const NEW_LINE = '\r\n'
const END = '\r\n\r\n'

/** The head of an HTTP/1.1 response, as it goes over the wire. */
export class Http1Head implements HeaderList {
  statusLine: string
  #fields: { name: string, line: string }[]

  constructor(text: string) {
    const [statusLine = '', ...lines] = text.slice(0, -END.length).split(NEW_LINE)
    this.statusLine = statusLine
    this.#fields = lines.map(line => ({ name: line.slice(0, line.indexOf(':')).toLowerCase(), line }))
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
    this.#fields.push({ name: name.toLowerCase(), line: `${name}: ${value}` })
  }

  delete(name: string): void {
    this.#fields = this.#fields.filter(field => field.name !== name.toLowerCase())
  }

  getSetCookie(): string[] {
    return this.#valuesOf('set-cookie')
  }

  keys(): ReturnType<Headers['keys']> {
    return new Set(this.#fields.map(({ name }) => name)).values() as ReturnType<Headers['keys']>
  }

  toString(): string {
    return [this.statusLine, ...this.#fields.map(({ line }) => line)].join(NEW_LINE) + END
  }

  #valuesOf(name: string): string[] {
    return this.#fields.filter(field => field.name === name.toLowerCase()).map(({ line }) => line.slice(line.indexOf(':') + 1).trim())
  }
}
