import type { OldSession, OldToken, SessionMigration } from '../../src/core/index'
import { describe, expect, it } from 'vitest'
import { Browser, MODES, Visit } from './support/app'
import { caught } from './support/errors'
import { NewApp } from './support/old-sessions'

/** An app whose migration answers so to each cookie, whatever its types say. */
function createApp(recognize: (value: string) => unknown, options: ConstructorParameters<typeof NewApp>[1] = {}): NewApp {
  return new NewApp({ cookie: { name: 'old' }, recognize: recognize as SessionMigration['recognize'] }, options)
}

const giving = (old: unknown) => (): unknown => ({ names: ['old'], open: async () => old })

const createBrowser = (value = 'ada'): Browser => new Browser([['old', value]])

/** Everything is behind getters, or a private field. */
class OldUser implements OldSession {
  readonly #name: string
  static readonly ended: string[] = []

  constructor(name: string) {
    this.#name = name
  }

  get id(): string {
    return this.#name
  }

  get data(): Record<string, unknown> {
    return { user: this.#name }
  }

  async end(): Promise<void> {
    OldUser.ended.push(this.#name)
  }
}

class OldUsers implements SessionMigration {
  get cookie(): { name: string } {
    return { name: 'old' }
  }

  get maxOpened(): number {
    return 1
  }

  recognize(value: string): OldToken {
    return { names: [this.cookie.name], open: async () => new OldUser(value) }
  }
}

describe.each(MODES)('a migration of one\'s own, in $mode', ({ options }) => {
  it('may be an instance of a class, and so may its sessions', async () => {
    const app = new NewApp(new OldUsers(), options)
    const browser = createBrowser()
    expect(await browser.read(app)).toEqual({ user: 'ada' })
    expect([[...browser.jar.keys()], OldUser.ended.splice(0)]).toEqual([['session'], ['ada']])
    const tossed = new Visit({ cookieHeader: 'old=eve; old=bob', receive: () => {} } as never, app)
    await tossed.request.load()
    expect([tossed.session.data, OldUser.ended.splice(0)]).toEqual([{ user: 'eve' }, ['eve']])
  })

  it.each([['null', null], ['nothing', undefined]])('that finds %s behind a cookie leaves a visitor', async (_, old) => {
    expect(await createBrowser().hasSession(createApp(giving(old), options))).toBe(false)
  })

  it.each([
    ['a promise', async () => ({ names: ['old'], open: async () => ({ data: { user: 'ada' } }) })],
    ['a promise that is rejected', async () => Promise.reject(new Error('a broken cookie'))],
    ['no names', () => ({ open: async () => ({ data: { user: 'ada' } }) })],
    ['nothing to open', () => ({ names: ['old'] })],
    ['a text', () => 'ada'],
  ])('is told to return a token where `recognize` gives %s', async (_, recognize) => {
    const { code, message } = await caught(() => createBrowser().visit(createApp(recognize, options)))
    expect([code, message]).toEqual(['CONFIG_ERROR', expect.stringContaining('recognize: It returned something else. Return `{ names, open }` or `undefined`')])
  })

  it.each([['null', null], ['an empty text', ''], ['a number', 1], ['an object', {}]])('merges no visitors whose id is %s', async (_, id) => {
    const app = createApp(value => ({ names: ['old'], open: async () => ({ id, data: { user: value } }) }), options)
    for (const name of ['ada', 'eve']) {
      const { code, message } = await caught(() => createBrowser(name).visit(app))
      expect([code, message]).toEqual(['CONFIG_ERROR', expect.stringContaining('Give each session of the other package a string of its own, or no `id`.')])
    }
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, new Date(0), '2030-01-01'])('takes over no session that ends at %s', async (expiresAt) => {
    expect(await createBrowser().hasSession(createApp(giving({ data: { user: 'ada' }, expiresAt }), options))).toBe(false)
  })
})
