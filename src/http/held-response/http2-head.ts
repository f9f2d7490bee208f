import type { HeaderList } from '../headers'

type Value = string | readonly string[] | number | undefined
type Fields = Record<string | symbol, Value>

/** Headers as `respond` takes them: an object or, in newer versions of Node, names and values in turn. */
export type RawHeaders = Readonly<Fields> | readonly Value[]

/** A copy of the headers of an HTTP/2 response, as those of the Fetch standard. */
export class Http2Head implements HeaderList {
  /** As Node takes them, all names in lower case. */
  readonly fields = Object.create(null) as Fields

  constructor(headers: RawHeaders = {}) {
    // Node keeps behind a symbol which of them are secret.
    for (const symbol of Object.getOwnPropertySymbols(headers))
      this.fields[symbol] = (headers as Fields)[symbol]
    for (const [name, value] of toPairs(headers))
      this.#add(name, value)
  }

  get(name: string): string | null {
    const value = this.fields[name.toLowerCase()]
    return value === undefined ? null : [value].flat().join(', ')
  }

  set(name: string, value: string): void {
    this.fields[name.toLowerCase()] = value
  }

  append(name: string, value: string): void {
    this.#add(name, [value])
  }

  delete(name: string): void {
    delete this.fields[name.toLowerCase()]
  }

  getSetCookie(): string[] {
    return [this.fields['set-cookie'] ?? []].flat().map(String)
  }

  keys(): ReturnType<Headers['keys']> {
    return Object.keys(this.fields).filter(name => !name.startsWith(':')).values() as unknown as ReturnType<Headers['keys']>
  }

  #add(name: string, value: Value): void {
    const key = name.toLowerCase()
    const before = this.fields[key]
    if (value !== undefined)
      this.fields[key] = before === undefined ? value : [before, value].flat().map(String)
  }
}

function toPairs(headers: RawHeaders): [name: string, value: Value][] {
  if (!Array.isArray(headers))
    return Object.entries(headers as Fields)
  return Array.from({ length: headers.length / 2 }, (_, index) => [String(headers[index * 2]), headers[index * 2 + 1]])
}
