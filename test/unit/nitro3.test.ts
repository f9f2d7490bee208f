import { describe, expect, it } from 'vitest'
import { isNarrowed } from '../../src/http/cached-request'
import { readTexts } from '../../src/runtime/server/nitro3/environment'

describe('the environment of Nitro 3', () => {
  it.each<[text: string, kind: 'string' | 'number' | 'boolean' | 'list', value: unknown]>([
    ['60', 'number', 60],
    ['-1', 'number', -1],
    ['7d', 'number', '7d'],
    ['', 'number', ''],
    ['false', 'boolean', false],
    ['no', 'boolean', 'no'],
    ['true', 'string', true],
    ['auto', 'string', 'auto'],
    ['12345678', 'string', '12345678'],
    ['["new","old"]', 'string', ['new', 'old']],
    ['[not json]', 'string', '[not json]'],
    ['{"1":"old","2":"new"}', 'string', { 1: 'old', 2: 'new' }],
    ['{not json}', 'string', '{not json}'],
    ['["theme"]', 'list', ['theme']],
    ['theme', 'list', 'theme'],
  ])('makes of the text %j for a %s the value %j', (text, option, value) => {
    expect(readTexts({ option: text }, { option })).toEqual({ option: value })
  })

  it('reaches options of options, and leaves values of the build alone', () => {
    const config = { maxAge: 60, expose: ['a'], cookie: { httpOnly: 'false', name: '42' }, storage: { driver: 'redis', port: '6380' } }
    const kinds = { maxAge: 'number', expose: 'list', cookie: { httpOnly: 'boolean', name: 'string' }, storage: { driver: 'string', port: 'number' } } as const
    expect(readTexts(config, kinds)).toEqual({ maxAge: 60, expose: ['a'], cookie: { httpOnly: false, name: '42' }, storage: { driver: 'redis', port: 6380 } })
  })

  it('leaves a text where it took the place of a whole group', () => {
    expect(readTexts({ cookie: 'x' }, { cookie: { name: 'string' } })).toEqual({ cookie: 'x' })
  })
})

describe('the request of a cached handler of Nitro 3', () => {
  const url = 'http://127.0.0.1/'
  const original = new Request(url, { headers: { cookie: 'a=1', accept: '*/*' } })

  it('is told by the headers that it lacks', () => {
    expect(isNarrowed(new Request(url, { headers: { cookie: 'a=1' } }), original)).toBe(true)
  })

  it.each([['the same', original], ['a copy', new Request(original)], ['a copy with more headers', new Request(url, { headers: { cookie: 'a=1', accept: '*/*', host: 'x' } })]])('is not %s', (_, request) => {
    expect(isNarrowed(request, original)).toBe(false)
  })
})
