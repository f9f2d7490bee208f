import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { VersionedMap } from '../../src/core/record/versioned-map'

/** A change of any version that was made before. */
const changes = fc.array(fc.record({ version: fc.nat(), key: fc.constantFrom('a', 'b', 'c', '__proto__'), value: fc.option(fc.nat(), { nil: undefined }) }), { maxLength: 60 })

it('every version stays what it is, whatever is made of it or of others, and however they are looked at', () => {
  fc.assert(fc.property(changes, fc.array(fc.nat(), { maxLength: 60 }), (changes, looks) => {
    const versions = [new VersionedMap()]
    const copies = [new Map<string, unknown>()]
    for (const { version, key, value } of changes) {
      const index = version % versions.length
      versions.push(versions[index]!.with(key, value))
      copies.push(new Map(copies[index]).set(key, value))
    }
    for (const look of [...looks, ...versions.keys()]) {
      const index = look % versions.length
      const [version, copy] = [versions[index]!, copies[index]!]
      expect(version.size).toBe(copy.size)
      expect(new Map(version)).toEqual(copy)
      for (const key of ['a', 'b', '__proto__'])
        expect([version.has(key), version.get(key)]).toEqual([copy.has(key), copy.get(key)])
    }
  }))
})

it('a long chain can be gone back and forth', () => {
  const first = new VersionedMap()
  let last = first
  for (let n = 0; n < 100_000; n++)
    last = last.with(`k${n % 1000}`, n)
  expect([first.size, last.size, first.get('k1'), last.get('k1')]).toEqual([0, 1000, undefined, 99_001])
})
