import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Http1Head } from '../../src/http/held-response/http1-head'

const NAMES = ['set-cookie', 'vary', 'cache-control', 'x-vary', 'vary-x', 'control', 'x']
/** As people write it. */
const nameIn = (text: string): fc.Arbitrary<string> => fc.constantFrom(text, text.toUpperCase(), text.replaceAll(/\b\w/g, letter => letter.toUpperCase()))
const name = fc.constantFrom(...NAMES).chain(nameIn)
/** With what could be taken for a name, and letters that have another case, of which one is longer in lower case. */
const value = fc.array(fc.constantFrom('a', 'B', 'É', 'ß', '\u00FF', 'İ', ':', 'vary:', 'Set-Cookie: ', '=', ';', ',', ' ', '\t'), { maxLength: 6 }).map(parts => parts.join('').trim())
const field = fc.tuple(name, value)

type Change = readonly ['append' | 'set', name: string, value: string] | readonly ['delete', name: string]
const change: fc.Arbitrary<Change> = fc.oneof(
  field.map(([name, value]) => ['append', name, value] as const),
  field.map(([name, value]) => ['set', name, value] as const),
  name.map(name => ['delete', name] as const),
)

/** Headers take no other letters than those of one byte; the name of a file in a head of Node may have them. */
const asByte = (text: string): string => text.replaceAll('İ', '\u00DD')
const asBytes = (values: (string | null)[]): (string | null)[] => values.map(value => value && asByte(value))

function make(list: Pick<Headers, 'append' | 'set' | 'delete'>, [act, name, value]: Change): void {
  if (act === 'delete')
    list.delete(name)
  else
    list[act](name, value!)
}

describe('the head of a response', () => {
  it('is read and changed as the Headers of the Fetch standard are', () => {
    fc.assert(fc.property(fc.array(field, { maxLength: 5 }), fc.array(change, { maxLength: 5 }), (fields, changes) => {
      const head = new Http1Head(`HTTP/1.1 200 vary: ok\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
      const headers = new Headers(fields.map(([name, value]) => [name, asByte(value)]))
      for (const next of changes) {
        make(head, next)
        make(headers, next.map(asByte) as unknown as Change)
      }
      const valuesOf = (list: Pick<Headers, 'get' | 'getSetCookie'>): unknown[] => [asBytes(NAMES.map(name => list.get(name))), asBytes(list.getSetCookie())]
      expect(valuesOf(head)).toEqual(valuesOf(headers))
      expect([...new Set(head.keys())].sort()).toEqual([...new Set(headers.keys())].sort())
    }), { numRuns: 2000 })
  })

  it('keeps what it is not told to change as it stands', () => {
    fc.assert(fc.property(fc.array(field, { maxLength: 5 }), fc.array(field, { maxLength: 5 }), (before, after) => {
      const lines = (fields: readonly (readonly [string, string])[]): string => fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
      const head = new Http1Head(`HTTP/1.1 200 OK\r\n${lines(before)}Own: 1\r\n${lines(after)}\r\n`)
      head.delete('own')
      head.append('Own', '2')
      head.statusLine = 'HTTP/1.1 503 Service Unavailable'
      expect(head.toString()).toBe(`HTTP/1.1 503 Service Unavailable\r\n${lines([...before, ...after])}Own: 2\r\n\r\n`)
    }))
  })
})
