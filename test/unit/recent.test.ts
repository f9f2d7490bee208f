import { describe, expect, it } from 'vitest'
import { Recent } from '../../src/core/recent'

describe('what was used last', () => {
  it('is remembered, at least as much as it was made for', () => {
    const recent = new Recent<number>(10)
    for (let n = 0; n < 1000; n++)
      recent.set(`k${n}`, n)
    expect(Array.from({ length: 10 }, (_, n) => recent.get(`k${990 + n}`))).toEqual([990, 991, 992, 993, 994, 995, 996, 997, 998, 999])
  })

  it('is at most twice as much', () => {
    const recent = new Recent<number>(10)
    for (let n = 0; n < 1000; n++)
      recent.set(`k${n}`, n)
    expect(Array.from({ length: 980 }, (_, n) => recent.get(`k${n}`)).filter(value => value !== undefined)).toEqual([])
  })

  it('stays while it is used, whatever else comes', () => {
    const recent = new Recent<number>(10)
    recent.set('used', 1)
    const seen = Array.from({ length: 1000 }, (_, n) => {
      recent.set(`k${n}`, n)
      return recent.get('used')
    })
    expect(new Set(seen)).toEqual(new Set([1]))
  })

  it.each([[1, 10], [3, 4], [10, 1], [25, 1]])('is as much as it weighs: %i each', (weight, atLeast) => {
    const recent = new Recent<number>(10, () => weight)
    for (let n = 0; n < 100; n++)
      recent.set(`k${n}`, n)
    const known = Array.from({ length: 100 }, (_, n) => n).filter(n => recent.get(`k${99 - n}`) !== undefined)
    expect(known.slice(0, atLeast)).toEqual(Array.from({ length: atLeast }, (_, n) => n))
    expect(known.length).toBeLessThanOrEqual(2 * atLeast)
  })

  it('weighs a key once, however often it is set', () => {
    const recent = new Recent<number>(10, () => 5)
    recent.set('a', 1)
    for (let n = 0; n < 100; n++)
      recent.set('b', n)
    expect([recent.get('a'), recent.get('b')]).toEqual([1, 99])
  })

  it('is no longer what was deleted, which makes room', () => {
    const recent = new Recent<number>(10)
    recent.set('used', 1)
    for (let n = 0; n < 1000; n++) {
      recent.set(`k${n}`, n)
      recent.delete(`k${n}`)
    }
    expect([recent.get('used'), recent.get('k999'), recent.get('k0')]).toEqual([1, undefined, undefined])
  })

  it.each([0, 5, 15, 25])('has nothing left of what was deleted, however long ago it was set: %i others ago', (others) => {
    const recent = new Recent<number>(10)
    recent.set('a', 1)
    for (let n = 0; n < others; n++)
      recent.set(`k${n}`, n)
    recent.delete('a')
    expect(recent.get('a')).toBe(undefined)
  })

  it('has the last value of a key', () => {
    const recent = new Recent<number>(2)
    recent.set('a', 1)
    recent.set('b', 1)
    recent.set('a', 2)
    recent.set('c', 1)
    expect(recent.get('a')).toBe(2)
  })
})
