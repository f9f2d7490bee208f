import type { SessionOptions } from '../../src/h3'
import type { Session } from '../../src/core/types'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { createUnstorageStore } from '../../src/core/index'
import { explainWrites } from '../../src/core/session/explain-writes'
import { getSession, sessionMiddleware, updateSession, useSession } from '../../src/h3'
import { App, MODES, returning, SECRET } from './support/app'
import { caught } from './support/errors'
import { HOSTS } from './support/h3-hosts'

interface Data {
  theme?: string
  visits: number
  user: { name: string, email?: string, roles: string[] }
  cart: { items: { id: number, price?: { amount: number } }[] }
  list: number[]
  'two words': { a: number }
}

const DATA: Data = {
  visits: 1,
  user: { name: 'ada', email: 'ada@example.com', roles: ['admin'] },
  cart: { items: [{ id: 1, price: { amount: 5 } }] },
  list: [3, 1, 2],
  'two words': { a: 1 },
}

/** Data as code without types sees them. */
function writable(data: unknown): Data {
  return data as Data
}

const LINES = readFileSync(import.meta.filename, 'utf8').split('\n')

/** The line of this file where a stack begins, or the frame where it does instead. */
function lineAtTop({ stack = '' }: Error): string {
  const [, frame = ''] = /\n {4}at (.*)/.exec(stack) ?? []
  const [, line] = /writes-in-place\.test\.ts:(\d+):\d+\)?$/.exec(frame) ?? []
  return line ? LINES[Number(line) - 1]! : frame
}

/** What throws in the place of a change, and the line that makes it. */
const WRITES: [how: string, line: string, write: (data: Data) => unknown][] = [
  ['a new key', 'session.set(\'theme\', value)', data => data.theme = 'dark'],
  ['a key that is there', 'session.set(\'user\', value)', data => data.user = { name: 'bob', roles: [] }],
  ['counting', 'session.set(\'visits\', value)', data => data.visits++],
  ['a key if it is missing', 'session.set(\'theme\', value)', data => data.theme ??= 'dark'],
  ['delete', 'session.delete(\'visits\')', data => delete (data as Partial<Data>).visits],
  ['Object.assign', 'session.set(\'theme\', value)', data => Object.assign(data, { theme: 'dark' })],
  ['Object.defineProperty', 'session.set(\'theme\', value)', data => Object.defineProperty(data, 'theme', { value: 'dark' })],
  ['Reflect.set', 'session.set(\'theme\', value)', data => Reflect.set(data, 'theme', 'dark')],
  ['a key that is no name', 'session.set("a-b", value)', data => Object.assign(data, { 'a-b': 1 })],
  ['a nested key', 'session.set(\'user\', { ...session.data.user, name: value })', data => data.user.name = 'bob'],
  ['a nested key behind one that is no name', 'session.set("two words", { ...session.data["two words"], a: value })', data => data['two words'].a = 2],
  ['a nested delete', 'session.set(\'user\', { ...session.data.user, email: undefined })', data => delete data.user.email],
  ['a key inside of an array', 'session.set(\'cart\', { ...session.data.cart, items: session.data.cart.items.with(0, { ...session.data.cart.items[0], id: value }) })', data => data.cart.items[0]!.id = 2],
  ['push', 'session.set(\'list\', [...session.data.list, value])', data => data.list.push(4)],
  ['push inside', 'session.set(\'user\', { ...session.data.user, roles: [...session.data.user.roles, value] })', data => data.user.roles.push('editor')],
  ['an element', 'session.set(\'list\', session.data.list.with(1, value))', data => data.list[1] = 4],
  ['sort', 'session.set(\'list\', session.data.list.with(0, value))', data => data.list.sort()],
  ['pop', 'session.set(\'list\', session.data.list.toSpliced(2, 1))', data => data.list.pop()],
  ['splice', 'session.set(\'list\', session.data.list.', data => data.list.splice(0, 1)],
  ['length', 'session.set(\'list\', session.data.list.slice(0, value))', data => data.list.length = 0],
]

describe.each(MODES)('in development a change of data in place says what to write, $mode', ({ options }) => {
  beforeAll(explainWrites)

  async function handle(): Promise<Session> {
    const app = new App(options)
    return (await (await returning(app, { ...DATA })).visit(app)).session
  }

  it.each(WRITES)('%s: %s', async (how, line, write) => {
    const session = await handle()
    const error = await caught(() => write(writable(session.data)))
    expect(error.code).toBe('INVALID_VALUE')
    expect(error.message).toContain(line)
    expect(lineAtTop(error)).toContain(`['${how}'`)
    expect(session.data).toEqual(DATA)
  })

  it.each<[how: string, line: string, write: (session: Session) => unknown]>([
    ['of what `get` gives', 'session.set(\'user\', { ...session.data.user, name: value })', session => writable({ user: session.get('user') }).user.name = 'bob'],
    ['of what `update` gives', 'session.set(\'user\', { ...session.data.user, name: value })', async session => writable(await session.update({ visits: 2 })).user.name = 'bob'],
    ['of what was just set', 'session.set(\'fresh\', [...session.data.fresh, value])', session => [session.set('fresh', []), writable({ list: session.get('fresh') }).list.push(1)]],
    ['in the function of `update`', 'Return what changes: `data => ({ visits: value })`', session => session.update(data => { writable(data).visits++; return {} })],
    ['inside, in the function of `update`', 'Return what changes: `data => ({ user: { ...data.user, name: value } })`', session => session.update(data => { writable(data).user.name = 'bob'; return {} })],
    ['of an array in the function of `update`', 'Return what changes: `data => ({ list: [...data.list, value] })`', session => session.update(data => { writable(data).list.push(1); return {} })],
    ['by delete in the function of `update`', 'Return what changes: `data => ({ visits: undefined })`', session => session.update(data => { delete (writable(data) as Partial<Data>).visits; return {} })],
    ['of the handle', '`session.user` cannot be assigned. Write `session.set(\'user\', value)`', session => Object.assign(session, { user: 'bob' })],
    ['of all the data', '`session.data` cannot be assigned. Write `await session.update({ key: value })`', session => Object.assign(session, { data: { visits: 2 } })],
  ])('%s: %s', async (how, line, write) => {
    const session = await handle()
    const error = await caught(() => write(session))
    expect([error.code, error.message]).toEqual(['INVALID_VALUE', expect.stringContaining(line)])
    expect(lineAtTop(error)).toContain(`['${how}'`)
  })

  it('also where the engine would say nothing', async () => {
    const { data } = await handle()
    // eslint-disable-next-line no-new-func
    const sloppy = new Function('data', 'data.user.name = "bob"') as (data: object) => void
    expect((await caught(() => sloppy(data))).message).toContain('{ ...session.data.user, name: value }')
  })

  it('reading is as ever', async () => {
    const session = await handle()
    const data = writable(session.data)
    expect(data).toStrictEqual(DATA)
    expect({ ...data, visits: 2 }).toStrictEqual({ ...DATA, visits: 2 })
    expect(JSON.parse(JSON.stringify(data))).toEqual(DATA)
    expect(inspect(data, { depth: null })).toBe(inspect(DATA, { depth: null }))
    expect([Array.isArray(data.list), data.list.toSorted(), data.list.map(value => value + 1), Object.keys(data.user)]).toEqual([true, [1, 2, 3], [4, 2, 3], ['name', 'email', 'roles']])
    expect([Object.isFrozen(data), Object.isFrozen(data.user), Object.freeze(data) === data, Object.getPrototypeOf(data) === Object.prototype]).toEqual([true, true, true, true])
    expect([session.data === session.data, session.get('user') === data.user, delete (data as { nothing?: 1 }).nothing]).toEqual([true, true, true])
  })

  it('the platform clones it', async () => {
    const data = writable((await handle()).data)
    const copy = structuredClone(data)
    copy.user.name = 'bob'
    expect(copy).toStrictEqual({ ...DATA, user: { ...DATA.user, name: 'bob' } })
    const ring: Record<string, unknown> = { list: [data.list], at: new Date(0), map: new Map([[1, 2]]) }
    ring.self = ring
    const { self, ...rest } = structuredClone(ring) as typeof ring
    expect(rest).toStrictEqual({ list: [[3, 1, 2]], at: new Date(0), map: new Map([[1, 2]]) })
    expect((self as typeof ring).self).toBe(self)
    const buffer = new ArrayBuffer(8)
    expect(structuredClone({ data, buffer }, { transfer: [buffer] }).buffer.byteLength).toBe(8)
    expect(() => structuredClone({ data, run() {} })).toThrow(DOMException)
  })

  it('what was read can be set again', async () => {
    const session = await handle()
    const { user, list } = writable(session.data)
    session.set('user', user)
    session.set('copy', { user, list: [...list, 4] })
    await session.update(data => ({ all: { ...data } }))
    expect(session.data).toMatchObject({ user: DATA.user, copy: { user: DATA.user, list: [3, 1, 2, 4] }, all: { visits: 1 } })
  })

  it('other frozen objects are left alone', async () => {
    const { data } = await handle()
    const frozen = Object.freeze({ theme: 'light', data })
    expect(() => Object.assign(frozen, { theme: 'dark' })).toThrow(TypeError)
    const child: Record<string, unknown> = Object.create(data)
    child.theme = 'dark'
    expect([child.theme, child.visits]).toEqual(['dark', 1])
  })
})

describe.each(HOSTS)('a change of data in place, $name', ({ start }) => {
  const options: SessionOptions = { secret: SECRET, store: createUnstorageStore({ type: 'memory' }) }

  it.each<[how: string, line: string, write: (event: never) => unknown]>([
    ['useSession', 'session.set(\'user\', { ...session.data.user, name: value })', async event => writable((await useSession(event)).data).user.name = 'bob'],
    ['getSession', 'session.set(\'theme\', value)', event => writable(getSession(event)).theme = 'dark'],
    ['getSession, an array', 'session.set(\'list\', [...session.data.list, value])', event => writable(getSession(event)).list.push(4)],
    ['updateSession', 'data => ({ theme: value })', event => updateSession(event, data => ({ theme: writable(data).theme = 'dark' }))],
    ['what updateSession gives', 'session.set(\'theme\', value)', async event => writable(await updateSession(event, { visits: 2 })).theme = 'dark'],
  ])('%s: %s', async (_, line, write) => {
    const visitor = await start(async (event) => {
      if (!getSession(event))
        await updateSession(event, { ...DATA })
      const { code, message } = await caught(() => write(event as never))
      return { code, message }
    }, [sessionMiddleware(options)])
    expect(await visitor.json('/')).toEqual({ code: 'INVALID_VALUE', message: expect.stringContaining(line) })
  })
})
