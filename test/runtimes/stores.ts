/** A place for the records of storage mode, and the options that an app names it by. */
export interface Store {
  title: string
  options: { storage?: { driver: string, binding?: string } }
}

export const STORES = {
  files: { title: 'files', options: {} },
  redis: { title: 'Redis', options: { storage: { driver: 'redis' } } },
  kv: { title: 'KV', options: { storage: { driver: 'cloudflare-kv-binding', binding: 'SESSIONS' } } },
} satisfies Record<string, Store>

export type StoreName = keyof typeof STORES
