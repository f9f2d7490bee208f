import type { H3Event } from 'h3'
import type { CipherKey } from 'node:crypto'
import type { OpenPeer, Peer, PeerData, PeerStore } from './peer'
import { createCipheriv, createDecipheriv, createHash, createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto'
import { createApp, createRouter, eventHandler, toNodeListener } from 'h3'
import Redis from 'ioredis'
import { nanoid } from 'nanoid'
import { createBareH3V1 } from './h3-v1'
import { BIG_TEXT, DAY, SECRET, TEXT } from './peer'

/** What a handler finds in a request, and can keep. */
interface Found {
  token: string
  data: PeerData
}

/** Keeps sessions with no more than anybody has to do. */
interface Keeper {
  find(token: string): Found | undefined | Promise<Found | undefined>
  /** The token to send; without one the browser keeps what it has. */
  keep(data: PeerData, token?: string): string | undefined | Promise<string | undefined>
  close?(): void
}

const byStore: [store: PeerStore, open: (redisUrl: string) => Keeper][] = [
  ['encrypted cookie', sealed],
  ['memory', () => stored(new Map())],
  ['Redis', (url) => {
    const client = new Redis(url, { enableAutoPipelining: true })
    return { ...stored({ get: key => client.get(key), set: (key, text) => client.set(key, text, 'EX', DAY) }), close: () => client.disconnect() }
  }],
]

/**
 * No package: handlers that somebody wrote for this one app. They guard against nothing but a
 * changed or expired cookie, so this is what the cryptography, JSON and the header cost alone.
 */
export const byHand: readonly Peer[] = byStore.map(([store, open]) => ({
  name: 'by hand',
  store,
  framework: 'h3 v1',
  packages: ['h3', ...store === 'Redis' ? ['ioredis'] : []],
  open: async ({ redisUrl }) => serve(open(redisUrl)),
}))

function serve(keeper: Keeper): OpenPeer {
  const find = (event: H3Event): ReturnType<Keeper['find']> => {
    const token = /(?:^|; )__Host-session=([^;]+)/.exec(event.node.req.headers.cookie ?? '')?.[1]
    return token === undefined ? undefined : keeper.find(token)
  }
  const keep = async (event: H3Event, data: PeerData, token?: string): Promise<void> => {
    const text = await keeper.keep(data, token)
    if (text)
      event.node.res.setHeader('set-cookie', `__Host-session=${text}; Max-Age=${DAY}; Path=/; HttpOnly; Secure; SameSite=Lax`)
  }
  const start = (text: string) => eventHandler(async (event) => {
    await keep(event, { count: 1, text })
    return { count: 1 }
  })
  const router = createRouter()
    .get('/new', start(TEXT))
    .get('/new-big', start(BIG_TEXT))
    .get('/read', eventHandler(async event => ({ count: (await find(event))?.data.count ?? null })))
    .get('/write', eventHandler(async (event) => {
      const { token, data } = (await find(event))!
      const count = data.count + 1
      await keep(event, { ...data, count }, token)
      return { count }
    }))
    .get('/text', eventHandler(async event => ({ text: (await find(event))?.data.text ?? null })))
    .get('/untouched', eventHandler(() => ({ count: 0 })))
  return { app: toNodeListener(createApp().use(router)), bare: createBareH3V1(), close: async () => keeper.close?.() }
}

/** A signed id in the cookie, and JSON under its hash. */
function stored(storage: { get(key: string): string | null | undefined | Promise<string | null>, set(key: string, text: string): unknown }): Keeper {
  const secret = createSecretKey(keyOf('signing'))
  const sign = (id: string): string => `${id}.${createHmac('sha256', secret).update(id).digest('base64url')}`
  const locate = (token: string): string => createHash('sha256').update(token.slice(0, token.indexOf('.'))).digest('hex')
  return {
    async find(token) {
      if (!isEqual(sign(token.slice(0, token.indexOf('.'))), token))
        return undefined
      const text = await storage.get(locate(token))
      return text ? toFound(token, text) : undefined
    },
    async keep(data, token) {
      const kept = token ?? sign(nanoid(24))
      await storage.set(locate(kept), toText(data))
      return token ? undefined : kept
    },
  }
}

/** The session itself in the cookie, by AES-256-GCM. */
function sealed(): Keeper {
  const key: CipherKey = createSecretKey(keyOf('sealing'))
  return {
    find(token) {
      const bytes = Buffer.from(token, 'base64url')
      if (bytes.length < 28)
        return undefined
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
      decipher.setAuthTag(bytes.subarray(-16))
      try {
        return toFound(token, decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8'))
      }
      catch {
        return undefined
      }
    },
    keep(data) {
      const iv = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, iv)
      return Buffer.concat([iv, cipher.update(toText(data)), cipher.final(), cipher.getAuthTag()]).toString('base64url')
    },
  }
}

function toText(data: PeerData): string {
  return JSON.stringify({ expiresAt: Date.now() + DAY * 1000, data })
}

function toFound(token: string, text: string): Found | undefined {
  const { expiresAt, data } = JSON.parse(text) as { expiresAt: number, data: PeerData }
  return expiresAt > Date.now() ? { token, data } : undefined
}

function keyOf(purpose: string): Buffer {
  return createHash('sha256').update(purpose + SECRET).digest()
}

function isEqual(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
