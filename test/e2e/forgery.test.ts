import type { NitroBuild } from '../support/nitro'
import { Agent, request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signCookie } from '../../src/core/cookie/signed-value'
import { COOKIE, createVisitor } from '../support/browser'
import { createRandom, mutate } from '../support/mutations'
import { buildNitro, startServer, TEST_SECRET } from '../support/nitro'

const REQUESTS_PER_MODE = 50_000
const CONCURRENCY = 64

describe('100,000 mutated cookies over HTTP', () => {
  let built: NitroBuild
  beforeAll(async () => {
    // The clean-up reads too: once a year, and not by a timer while this runs.
    built = await buildNitro('nitro', { experimental: { tasks: true }, scheduledTasks: { '0 0 1 1 *': 'session:cleanup' } })
  })
  afterAll(() => built?.remove())

  it.each(['storage', 'cookie'] as const)('%s mode: none is accepted, nothing fails, storage is never asked', async (mode) => {
    const foreign = [...await cookiesElsewhere(built, mode), signCookie('V1StGXR8Z5jdHi6BmyTabcde', TEST_SECRET), encodeURIComponent(signCookie('V1StGXR8Z5jdHi6BmyTabcde', TEST_SECRET)), 'Fe26.2**0cdd607945dd1dffb7da0b0bf5f1a7daa6218cbae14cac51dcbd91fb077aeb5b*aOZLCKLhCt0D5IU1qLTtYw*g0ilNDlQ3TsdFUqJCqAm9iL7Wa60H7eYcHL_5oP136TOJREkS3BzheDC1dlxz5oJ']
    const server = await startServer(built.entry, { NITRO_SESSION_MODE: mode })
    const visitors = await Promise.all(Array.from({ length: 5 }, async () => {
      const visitor = createVisitor(server.url)
      await visitor.fetch('/kind/string')
      return visitor.cookies.get(COOKIE)!
    }))
    const { counts: before } = await createVisitor(server.url).json<{ counts: object }>('/control')

    const seed = Date.now() % 2 ** 31
    const random = createRandom(seed)
    const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY })
    const failures: string[] = []
    let sent = 0
    await Promise.all(Array.from({ length: CONCURRENCY }, async () => {
      while (sent++ < REQUESTS_PER_MODE) {
        const cookie = mutate({ valid: visitors, foreign }, random)
        const { status, body, setCookie } = await get(`${server.url}/visits`, `${COOKIE}=${cookie}`, agent)
        if (status !== 200 || body !== '{"visits":null}' || setCookie)
          failures.push(`${status} ${body} for ${cookie.slice(0, 200)}`)
      }
    }))
    agent.destroy()

    expect(failures, `seed ${seed}`).toEqual([])
    const { counts: after } = await createVisitor(server.url).json<{ counts: object }>('/control')
    expect(after).toEqual(before)
    await server.stop()
  }, 1_800_000)
})

/** Valid cookies of another secret, of the other mode, and of another name. */
async function cookiesElsewhere(built: NitroBuild, mode: 'storage' | 'cookie'): Promise<string[]> {
  const cookies: string[] = []
  const elsewhere: Record<string, string>[] = [
    { NITRO_SESSION_SECRET: 'another secret, of another server', NITRO_SESSION_MODE: mode },
    { NITRO_SESSION_MODE: mode === 'cookie' ? 'storage' : 'cookie' },
    { NITRO_SESSION_COOKIE_NAME: 'other', NITRO_SESSION_MODE: mode },
  ]
  for (const env of elsewhere) {
    const server = await startServer(built.entry, env)
    const visitor = createVisitor(server.url)
    await visitor.fetch('/kind/string')
    cookies.push(visitor.cookies.get(env.NITRO_SESSION_COOKIE_NAME ?? COOKIE)!)
    await server.stop()
  }
  return cookies
}

/** A plain request: `fetch` would spend more on itself than on the server. */
function get(url: string, cookie: string, agent: Agent): Promise<{ status: number, body: string, setCookie: string[] | undefined }> {
  return new Promise((resolve, reject) => {
    request(url, { agent, headers: { cookie } }, (response) => {
      let body = ''
      response.on('data', chunk => body += chunk)
      response.on('end', () => resolve({ status: response.statusCode!, body, setCookie: response.headers['set-cookie'] }))
      response.on('error', reject)
    }).on('error', reject).end()
  })
}
