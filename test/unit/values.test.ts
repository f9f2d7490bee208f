import type { Session } from '../../src/core/types'
import { isDeepStrictEqual } from 'node:util'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { deepFreeze, definedOf, isEqualValue, setOwn, toChanges, toStorableValue } from '../../src/core/record/value'
import { App, Browser, MODES, returning } from './support/app'
import { caught, codeOf } from './support/errors'

class Money {
  amount = 1
}

const cycle: { self?: unknown } = {}
cycle.self = { inner: [cycle] }

function fail(): never {
  throw new RangeError('mine')
}

function argumentsOf(..._values: unknown[]): IArguments {
  return arguments // eslint-disable-line prefer-rest-params
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

/** An instance of a class whose constructor has this name. */
function named(name: unknown): object {
  return Object.create({ constructor: { name } }) as object
}

const UNREADABLE = 'reading it failed. Store a plain copy of it.'

function lossy(what: string, remedy: string): string {
  return `it is ${what}, which JSON would change or lose. ${remedy}`
}

const REFUSED: [what: string, value: unknown, why: string][] = [
  ['a function', () => 1, lossy('a function', 'Only JSON values can be stored.')],
  ['a symbol', Symbol('x'), lossy('a symbol', 'Only JSON values can be stored.')],
  ['a BigInt', 1n, lossy('a BigInt', 'Store it as a string.')],
  ['NaN', Number.NaN, lossy('NaN', 'Store null or a string instead.')],
  ['Infinity', Number.POSITIVE_INFINITY, lossy('Infinity', 'Store null or a string instead.')],
  ['-Infinity', Number.NEGATIVE_INFINITY, lossy('-Infinity', 'Store null or a string instead.')],
  ['undefined in an array', [undefined], lossy('undefined', 'Leave it out, or store null.')],
  ['undefined in an array in an object', { list: [1, undefined] }, lossy('undefined', 'Leave it out, or store null.')],
  ['a cycle', cycle, lossy('a reference to an object that contains it', 'Store an id instead of the object.')],
  ['a Date', new Date(0), lossy('an instance of Date', 'Store date.toISOString() or date.getTime().')],
  ['a Map', new Map([['a', 1]]), lossy('an instance of Map', 'Store Object.fromEntries(map).')],
  ['a Set', new Set([1]), lossy('an instance of Set', 'Store [...set].')],
  ['a RegExp', /x/, lossy('an instance of RegExp', 'Store a plain object with its fields.')],
  ['an Error', new Error('x'), lossy('an instance of Error', 'Store a plain object with its fields.')],
  ['a URL', new URL('http://localhost'), lossy('an instance of URL', 'Store a plain object with its fields.')],
  ['bytes', new Uint8Array(2), lossy('an instance of Uint8Array', 'Store it as base64 text.')],
  ['a Buffer', Buffer.from('x'), lossy('an instance of Buffer', 'Store it as base64 text.')],
  ['a promise', Promise.resolve(1), lossy('an instance of Promise', 'Await it first.')],
  ['a boxed string', Object('x'), lossy('an instance of String', 'Store value.valueOf().')],
  ['a boxed number', Object(1), lossy('an instance of Number', 'Store value.valueOf().')],
  ['a boxed BigInt', Object(1n), lossy('an instance of BigInt', 'Store value.valueOf().')],
  ['a WeakMap', new WeakMap(), lossy('an instance of WeakMap', 'Store a plain object with its fields.')],
  ['a module', await import('../../src/core/clock'), lossy('an object with symbol keys', 'Use string keys.')],
  ['the arguments of a function', argumentsOf(1), lossy('an object with symbol keys', 'Use string keys.')],
  ['an array of a huge length without items', Object.assign([1], { length: 2 ** 31 }), lossy('an array with holes or extra properties', 'Store a dense array.')],
  ['a proxy that was revoked', revoked(), UNREADABLE],
  ['a proxy that fails', new Proxy({}, { ownKeys: () => fail() }), UNREADABLE],
  ['a property that cannot be read', { get name() { return fail() } }, UNREADABLE],
  ['an item that cannot be read', Object.defineProperty([1], 0, { get: fail, enumerable: true }), UNREADABLE],
  ['a getter of what cannot be stored', { get at() { return new Date(0) } }, lossy('an instance of Date', 'Store date.toISOString() or date.getTime().')],
  ['a class instance', new Money(), lossy('an instance of Money', 'Store a plain object with its fields.')],
  ['an object with a prototype of its own', Object.create({ inherited: 1 }), lossy('an instance of Object', 'Store a plain object with its fields.')],
  ['an object whose prototype has nothing', Object.create(Object.create(null) as object), lossy('an instance of a class', 'Store a plain object with its fields.')],
  ['an object whose prototype looks like that of others', Object.create({ isPrototypeOf: 1 }), lossy('an instance of Object', 'Store a plain object with its fields.')],
  ['an instance of a class without a name', named(''), lossy('an instance of a class', 'Store a plain object with its fields.')],
  ['an instance of a class whose name is none', named(5), lossy('an instance of a class', 'Store a plain object with its fields.')],
  ['an object with toJSON', { toJSON: () => 1 }, lossy('a function', 'Only JSON values can be stored.')],
  ['an object with symbol keys', { [Symbol('x')]: 1 }, lossy('an object with symbol keys', 'Use string keys.')],
  ['an array with holes', [1, , 2], lossy('an array with holes or extra properties', 'Store a dense array.')], // eslint-disable-line no-sparse-arrays
  ['an array with extra properties', Object.assign([1], { extra: 1 }), lossy('an array with holes or extra properties', 'Store a dense array.')],
  ['an array with as many holes as extra properties', Object.assign([,], { extra: 1 }), lossy('an array with holes or extra properties', 'Store a dense array.')], // eslint-disable-line no-sparse-arrays
  ['an array that inherits from another', Object.setPrototypeOf([1], [2]), lossy('an instance of a class of arrays', 'Store [...array].')],
  ['an array subclass', new (class Stack extends Array {})(), lossy('an instance of a class of arrays', 'Store [...array].')],
]

describe.each(REFUSED)('%s', (_, value, why) => {
  it('is refused by set, naming where it is, what and the remedy', async () => {
    const { session } = await new Browser().visit(new App())
    const { code, message, details } = await caught(() => session.set('myKey', value))
    expect([code, message]).toEqual(['INVALID_VALUE', `The session cannot keep \`${String(details.path)}\`: ${why}`])
    expect(details).toEqual({ key: 'myKey', path: expect.stringMatching(/^myKey/) })
  })

  it('is refused deep inside a value, naming the way to it', async () => {
    const { session } = await new Browser().visit(new App())
    expect(await caught(() => session.set('myKey', { list: [0, value] }))).toMatchObject({
      code: 'INVALID_VALUE',
      message: expect.stringMatching(/`myKey\.list\.1/),
    })
  })

  it('is refused by flash', async () => {
    const { session } = await new Browser().visit(new App())
    expect(await codeOf(() => session.flash('myKey', value))).toBe('INVALID_VALUE')
  })
})

describe.each(MODES)('values in $mode', ({ options }) => {
  it('are refused by update, and nothing of the patch is kept', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      expect(await codeOf(() => session.update({ good: 1, bad: new Date() }))).toBe('INVALID_VALUE')
      expect(await codeOf(() => session.update(() => ({ good: 1, bad: 1n })))).toBe('INVALID_VALUE')
    })
    expect(await browser.read(app)).toEqual({ user: 'ada' })
  })

  it('are refused by the patch of regenerate, and the session stays as it was', async () => {
    const app = new App(options)
    const browser = await returning(app)
    const id = await browser.run(app, session => session.id)
    await browser.run(app, async (session) => {
      expect(await codeOf(() => session.regenerate({ good: 1, bad: Number.NaN }))).toBe('INVALID_VALUE')
    })
    expect(await browser.run(app, session => [session.id, session.data])).toEqual([id, { user: 'ada' }])
  })

  it.each<[what: string, patch: () => object]>([
    ['a symbol key', () => ({ good: 1, [Symbol('x')]: 1 })],
    ['a key that cannot be read', () => ({ good: 1, get bad() { return fail() } })],
    ['nothing that can be read', revoked],
  ])('are refused by a patch with %s, and nothing of it is kept', async (_, patch) => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      for (const change of [() => session.update(patch()), () => session.update(patch), () => session.regenerate(patch())])
        expect(await codeOf(change)).toBe('INVALID_VALUE')
    })
    expect(await browser.read(app)).toEqual({ user: 'ada' })
  })

  it('leave no cookie behind when they are refused', async () => {
    const visit = await new Browser().visit(new App(options))
    await codeOf(() => visit.session.set('a', () => 1))
    await codeOf(() => visit.session.update({ a: 1n }))
    await visit.end()
    expect(visit.setCookies).toEqual([])
  })

  it.each([
    ['null', null],
    ['an empty string', ''],
    ['zero', 0],
    ['false', false],
    ['fractions and large numbers', [0.1, 1e300, -1e-300, Number.MAX_SAFE_INTEGER, Number.MIN_VALUE]],
    ['empty containers', { list: [], map: {}, lists: [[], [[]]] }],
    ['emoji and control characters', 'héllo 👋🏽 \u0000\u001F\u2028"\\;,='],
    ['lone surrogates', '\uD800 and \uDFFF'],
    ['lone surrogates in keys', { '\uD800': 1 }],
    ['keys that look like numbers', { 10: 'a', 2: 'b' }],
    ['an empty key', { '': { '': 1 } }],
  ])('keep %s', async (_, value) => {
    const app = new App(options)
    const browser = new Browser()
    await browser.run(app, session => session.set('value', value))
    expect(await browser.run(app, session => session.get('value'))).toEqual(value)
  })

  it.each(['__proto__', 'constructor', 'prototype', 'id', 'save', 'data', 'toString', 'hasOwnProperty', 'then', 'toJSON'])('keep the key %s at the top and inside, as plain data', async (key) => {
    const app = new App(options)
    const browser = new Browser()
    const nested = JSON.parse(`{"${key}":{"${key}":{"isAdmin":true}}}`) as Record<string, unknown>
    await browser.run(app, (session) => {
      session.set(key, nested)
      session.flash(key, nested)
    })
    await browser.run(app, (session) => {
      expect(session.has(key)).toBe(true)
      expect(JSON.stringify(session.get(key))).toBe(JSON.stringify(nested))
      expect(JSON.stringify(session.flash(key))).toBe(JSON.stringify(nested))
      expect(Object.hasOwn(session.data, key)).toBe(true)
      expect(Object.keys(session.data)).toEqual([key])
      expect(typeof session.save).toBe('function')
    })
    await browser.run(app, session => session.delete(key))
    expect(await browser.hasSession(app)).toBe(false)
  })

  it('keep a __proto__ key through update and regenerate, and pollute nothing', async () => {
    const app = new App(options)
    const browser = await returning(app)
    const patch = JSON.parse('{"__proto__":{"isAdmin":true}}') as Record<string, unknown>
    await browser.run(app, session => session.update(patch))
    await browser.run(app, session => session.regenerate(JSON.parse('{"constructor":{"prototype":{"isAdmin":true}}}') as Record<string, unknown>))
    const seen = await browser.run(app, session => JSON.stringify(session.data))
    expect(seen).toBe('{"user":"ada","__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}')
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined()
  })

  it.each<[what: string, change: (session: Session, user: object) => unknown]>([
    ['set', (session, user) => session.set('user', user)],
    ['update', (session, user) => session.update({ user })],
    ['update by a function', (session, user) => session.update(() => ({ user }))],
    ['regenerate', (session, user) => session.regenerate({ user })],
  ])('leave out what is undefined inside an object: %s', async (_, change) => {
    const app = new App(options)
    const browser = new Browser()
    const user = { id: 1, avatar: undefined, groups: [{ name: 'a', until: undefined }] }
    const now = await browser.run(app, async (session) => {
      await change(session, user)
      return session.get('user')
    })
    const next = await browser.run(app, session => session.get('user'))
    expect([now, next]).toStrictEqual(Array.from({ length: 2 }, () => ({ id: 1, groups: [{ name: 'a' }] })))
  })

  it('leave out what is undefined inside a message', async () => {
    const app = new App(options)
    const browser = new Browser()
    await browser.run(app, session => session.flash('news', { text: 'Hello', link: undefined }))
    expect(await browser.run(app, session => session.flash('news'))).toStrictEqual({ text: 'Hello' })
  })

  it('are not changed by what is undefined, and are by another order of keys', async () => {
    const app = new App(options)
    const browser = await returning(app, { user: { a: 1, b: 2 } })
    const setCookies = await browser.run(app, (session, visit) => {
      session.set('user', { a: 1, b: 2, c: undefined })
      return visit.setCookies
    })
    expect(setCookies).toEqual([])
    await browser.run(app, session => session.set('user', { b: 2, a: 1 }))
    expect(await browser.run(app, session => Object.keys(session.get('user') as object))).toEqual(['b', 'a'])
  })

  it('do not follow the caller\'s object afterwards', async () => {
    const app = new App(options)
    const browser = new Browser()
    const cart = { items: [{ id: 1 }] }
    await browser.run(app, (session) => {
      session.set('cart', cart)
      cart.items[0]!.id = 2
      cart.items.push({ id: 3 })
      expect(session.get('cart')).toEqual({ items: [{ id: 1 }] })
    })
    expect(await browser.read(app)).toEqual({ cart: { items: [{ id: 1 }] } })
  })

  it('do not freeze the caller\'s object', async () => {
    const cart = { items: [1] }
    await new Browser().run(new App(options), session => session.set('cart', cart))
    cart.items.push(2)
    expect(cart.items).toEqual([1, 2])
  })

  it('show -0 in this request as in the next', async () => {
    const app = new App(options)
    const browser = new Browser()
    const now = await browser.run(app, (session) => {
      session.set('n', -0)
      return session.get('n')
    })
    const next = await browser.run(app, session => session.get('n'))
    expect(Object.is(now, next)).toBe(true)
  })

  it('can be nested 150 levels deep', async () => {
    const app = new App(options)
    const browser = new Browser()
    const deep = JSON.parse(`${'['.repeat(150)}${']'.repeat(150)}`) as unknown
    await browser.run(app, session => session.set('deep', deep))
    expect(await browser.run(app, session => session.get('deep'))).toEqual(deep)
  })

  it('keep objects without a prototype and from another realm as plain ones', async () => {
    const app = new App(options)
    const browser = new Browser()
    const bare = Object.assign(Object.create(null) as object, { a: { b: 1 } })
    const foreign = runInNewContext('({ list: [{ a: 1 }], text: "x" })') as unknown
    await browser.run(app, (session) => {
      session.set('bare', bare)
      session.set('foreign', foreign)
    })
    expect(await browser.read(app)).toEqual({ bare: { a: { b: 1 } }, foreign: { list: [{ a: 1 }], text: 'x' } })
  })

  it.each([
    ['a number', 1],
    ['null', null],
    ['an array', [1]],
    ['a Map', new Map([['a', 1]])],
    ['a Date', new Date()],
  ])('cannot be patched with %s', async (_, patch) => {
    const { session } = await new Browser().visit(new App(options))
    expect(await codeOf(() => session.update(patch as unknown as Record<string, unknown>))).toBe('INVALID_VALUE')
  })
})

describe('a value of another realm', () => {
  it.each(['new Date()', 'new Map()', 'new (class A {})()', '/x/'])('is refused when it is %s', async (code) => {
    expect(await codeOf(() => toStorableValue(runInNewContext(code), 'k'))).toBe('INVALID_VALUE')
  })
})

describe('an array of another realm', () => {
  it('becomes an array of this one', () => {
    expect(toStorableValue(runInNewContext('[1]'), 'k')).toBeInstanceOf(Array)
  })
})

describe('a value that is too deep', () => {
  const nested = (levels: number): unknown => JSON.parse(`${'{"aaaaaaaaaa":'.repeat(levels)}1${'}'.repeat(levels)}`)

  it('is refused before it exhausts the stack', async () => {
    let deep: unknown = 1
    for (let level = 0; level < 100_000; level++)
      deep = [deep]
    expect(await codeOf(() => toStorableValue(deep, 'k'))).toBe('INVALID_VALUE')
  })

  it('has more than 200 levels', () => {
    expect(toStorableValue(nested(200), 'k')).toEqual(nested(200))
    expect(() => toStorableValue(nested(201), 'k')).toThrow(lossy('more than 200 levels deep', 'Flatten it.'))
  })

  it('does not fill the message with its path', async () => {
    const { message, details } = await caught(() => toStorableValue(nested(500), 'k'))
    expect(message.length).toBeLessThan(300)
    expect(details.path).toBe('k.aaaaaaaaaa.aaaaaaaaaa.aaaaaaaaaa.aaaaaaaaaa')
  })
})

describe('the way to a value', () => {
  it('has 200 characters at most', async () => {
    const { message, details } = await caught(() => toStorableValue({ ['y'.repeat(300)]: 1n }, 'x'))
    expect(details).toEqual({ key: 'x', path: `x.${'y'.repeat(198)}` })
    expect(message).toContain(`\`x.${'y'.repeat(198)}\`:`)
  })

  it('is forgotten behind what can be kept', async () => {
    expect((await caught(() => toStorableValue([[1, [2]], { a: { b: [3] } }, 1n], 'k'))).details.path).toBe('k.2')
  })

  it('comes without a cause where nothing was thrown', async () => {
    expect('cause' in await caught(() => toStorableValue(1n, 'k'))).toBe(false)
  })
})

describe('a patch', () => {
  const NO_PATCH = 'A session patch must be a plain object of keys and values.'

  it.each<[what: string, patch: unknown, message: string]>([
    ['nothing', undefined, NO_PATCH],
    ['null', null, NO_PATCH],
    ['a text', 'a', NO_PATCH],
    ['a function', () => ({}), NO_PATCH],
    ['an array', [1], NO_PATCH],
    ['an instance of a class', new Money(), NO_PATCH],
    ['a promise', Promise.resolve({ a: 1 }), 'The function that makes a patch returned a promise. It must be synchronous and pure: await before.'],
    ['an object with symbol keys', { [Symbol('x')]: 1 }, `The session cannot keep this patch: ${lossy('an object with symbol keys', 'Use string keys.')}`],
    ['an object that cannot be read', revoked(), `The session cannot keep this patch: ${UNREADABLE}`],
    ['an object with a key that cannot be read', { a: 1, get b() { return fail() } }, `The session cannot keep \`b\`: ${UNREADABLE}`],
    ['an object with a value that cannot be kept', { a: { b: [1] }, c: [1, 2n] }, `The session cannot keep \`c.1\`: ${lossy('a BigInt', 'Store it as a string.')}`],
  ])('is refused when it is %s', async (_, patch, message) => {
    expect(await caught(() => toChanges(patch))).toMatchObject({ code: 'INVALID_VALUE', message })
  })

  it('is refused when it is a promise that fails, whose error is that of nobody', async () => {
    const unhandled = vi.fn<() => void>()
    process.once('unhandledRejection', unhandled)
    onTestFinished(() => void process.off('unhandledRejection', unhandled))
    expect(await codeOf(() => toChanges(Promise.reject(new Error('mine'))))).toBe('INVALID_VALUE')
    await new Promise(resolve => setImmediate(resolve))
    expect(unhandled).not.toHaveBeenCalled()
  })

  it('is frozen copies of its values by their keys, and of what goes', () => {
    const patch = { a: { list: [1] }, gone: undefined, ['__proto__']: 1 }
    const changes = toChanges(patch)
    expect([...changes]).toEqual([['a', { list: [1] }], ['gone', undefined], ['__proto__', 1]])
    expect([changes.get('a') === patch.a, Object.isFrozen(changes.get('a'))]).toEqual([false, true])
  })
})

describe('a value that came from JSON', () => {
  it('is frozen on every level', () => {
    const value = { a: { b: [{ c: 1 }, null, 'x'] }, d: [] }
    expect(deepFreeze(value)).toBe(value)
    expect([value, value.a, value.a.b, value.a.b[0], value.d].map(Object.isFrozen)).toEqual([true, true, true, true, true])
  })

  it.each([null, undefined, 1, 'x'])('is the same when it is %j', (value) => {
    expect(deepFreeze(value)).toBe(value)
  })

  it('is not looked at again below what is frozen', () => {
    const part = { a: 1 }
    deepFreeze(Object.freeze({ part }))
    expect(Object.isFrozen(part)).toBe(false)
  })
})

describe('an object', () => {
  it('without what is there in name only has all that is a value', () => {
    expect(definedOf({ a: undefined, b: null, c: 0, d: '' })).toStrictEqual({ b: null, c: 0, d: '' })
  })

  it.each(['a', '__proto__', 'constructor'])('gets a key that can be changed and removed like any other: %s', (key) => {
    const target: Record<string, unknown> = {}
    setOwn(target, key, 1)
    expect(Object.getOwnPropertyDescriptors(target)).toEqual({ [key]: { value: 1, enumerable: true, configurable: true, writable: true } })
    expect(Object.getPrototypeOf(target)).toBe(Object.prototype)
  })
})

describe('a value that cannot be read', () => {
  it('is named with the way to it, and with the cause', async () => {
    const value = { list: [{ get name() { return fail() } }] }
    expect(await caught(() => toStorableValue(value, 'user'))).toMatchObject({
      message: expect.stringContaining('`user.list.0.name`'),
      cause: expect.any(RangeError),
    })
  })
})

describe('any value', () => {
  it('comes back as it went in, or is refused with the name of its key', async () => {
    const anything = fc.anything({ withDate: true, withMap: true, withSet: true, withBigInt: true, withTypedArray: true, withBoxedValues: true, withNullPrototype: true, withObjectString: true, withSparseArray: true, withUnicodeString: true })
    const app = new App()
    await fc.assert(fc.asyncProperty(anything, async (value) => {
      const browser = new Browser()
      const error: unknown = await browser.run(app, session => session.set('myKey', value)).then(() => undefined, (reason: unknown) => reason)
      if (error)
        expect(error).toMatchObject({ code: 'INVALID_VALUE', message: expect.stringContaining('`myKey') })
      else
        expect(isSame(await browser.run(app, session => session.get('myKey')), value)).toBe(true)
    }), { numRuns: 2000 })
  })

  it('that JSON has comes back as it went in', async () => {
    await fc.assert(fc.asyncProperty(fc.constantFrom(...MODES), fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }), async ({ options }, value) => {
      const app = new App(options)
      const browser = new Browser()
      await browser.run(app, session => session.set('myKey', value))
      expect(isSame(await browser.run(app, session => session.get('myKey')), value)).toBe(true)
    }), { numRuns: 500 })
  })
})

/** True for two values of which nothing that a reader can see differs: `undefined` properties are as good as none. */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return a === b
  const keysOf = (value: object): string[] => Object.keys(value).filter(key => (value as Record<string, unknown>)[key] !== undefined)
  const keys = keysOf(a)
  return Array.isArray(a) === Array.isArray(b) && isDeepStrictEqual(keys, keysOf(b))
    && keys.every(key => isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
}

describe('a value that is used twice', () => {
  it('is no cycle', () => {
    const shared = { a: 1 }
    expect(toStorableValue([shared, { shared }], 'k')).toEqual([{ a: 1 }, { shared: { a: 1 } }])
  })
})

describe('equal values', () => {
  it.each<[unknown, unknown, boolean]>([
    [{ a: [1, 'x'] }, { a: [1, 'x'] }, true],
    [null, null, true],
    [0, -0, true],
    [1, '1', false],
    [null, Number.NaN, false],
    [null, {}, false],
    [new Date(0), new Date(0).toJSON(), false],
    [new Date(0).toJSON(), new Date(0), false],
    [[], {}, false],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [[1, 2], [2, 1], false],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, false],
  ])('%j and %j: %s', (a, b, isEqual) => {
    expect(isEqualValue(a, b)).toBe(isEqual)
  })
})
