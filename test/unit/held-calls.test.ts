import type { ServerResponse } from 'node:http'
import type { Held } from './support/server'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { watchProcess } from './support/process-problems'
import { holdCalls, release, serveHeld as serveHeldServer } from './support/server'

// Only what is particular to calls that wait: `held-response.test.ts` tests the rest, for every way to wait.

const serveHeld = (handler: (res: ServerResponse) => unknown): Promise<Held> => serveHeldServer(handler, undefined, holdCalls)

it('a held response of another runtime calls every callback, in order and after the hold', async () => {
  const log: string[] = []
  const held = await serveHeld((res) => {
    res.write('a', () => log.push('a'))
    res.write('b', 'utf8', () => log.push('b'))
    res.end('c', () => log.push('end'))
  })
  const answer = held.server.fetch()
  const res = await held.handled
  const finished = new Promise(resolve => res.on('close', resolve))
  expect(log).toEqual([])
  held.settled.resolve()
  expect((await answer).text).toBe('abc')
  await finished
  expect(log).toEqual(['a', 'b', 'end'])
})

describe('the headers of writeHead', () => {
  it('are taken once from a wrapper that writes the head at every write', async () => {
    const held = await serveHeld((res) => {
      for (const part of ['a', 'b']) {
        res.writeHead(201, { 'x-head': part })
        res.write(part)
      }
      res.end()
    })
    const { status, headers, text } = await release(held)
    expect([status, headers['x-head'], text]).toEqual([201, 'a', 'ab'])
  })

  it('that are invalid end the exchange and not the process', async () => {
    const problems = watchProcess()
    const held = await serveHeld((res) => {
      res.writeHead(200, { 'x-bad': 'a\nb' })
      res.end('x')
    })
    const outcome = await release(held).then(({ status }) => status, () => 'connection closed')
    await nextTurn()
    expect(problems).toEqual([])
    expect([500, 503]).toContain(outcome)
  })
})
