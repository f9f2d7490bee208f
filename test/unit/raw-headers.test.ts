import type { SessionEvent, SessionOptions } from '../../src/h3'
import type { ServerResponse } from 'node:http'
import { createStorage } from 'unstorage'
import { describe, expect, it } from 'vitest'
import { useSession } from '../../src/h3'
import { SECRET } from './support/app'
import { HOSTS } from './support/h3-hosts'

const USES: [what: string, use: (event: SessionEvent, options: SessionOptions) => unknown][] = [
  ['is not used', () => {}],
  ['is read', async (event, options) => (await useSession(event, options)).get('visits')],
  ['begins', async (event, options) => (await useSession(event, options)).set('visits', 1)],
]

const HEADS: [what: string, headers: unknown][] = [
  ['a list', ['set-cookie', 'a=1', 'X-A', '1', 'Set-Cookie', ['b=2', 'c=3'], 'x-a', '2']],
  ['a list of pairs', [['set-cookie', 'a=1'], ['X-A', '1'], ['Set-Cookie', ['b=2', 'c=3']], ['x-a', '2']]],
]

describe.each(HOSTS.filter(({ isNode, major }) => isNode && major === 1))('writeHead, $name', ({ start }) => {
  describe.each(USES)('when the session %s', (_, use) => {
    it.each(HEADS)('takes %s with a name more than once', async (_, headers) => {
      const options: SessionOptions = { secret: SECRET, store: createStorage() }
      const visitor = await start(async (event) => {
        await use(event, options)
        const { res } = (event as { node: { res: ServerResponse } }).node
        res.writeHead(201, 'Made', headers as never)
        res.end('done')
      })
      for (const path of ['/first', '/again']) {
        const response = await visitor.fetch(path)
        expect(response.headers.getSetCookie().filter(line => !line.startsWith('session=')).toSorted()).toEqual(['a=1', 'b=2', 'c=3'])
        expect([response.status, response.headers.get('x-a'), await response.text()]).toEqual([201, '1, 2', 'done'])
      }
    })
  })
})
