import type { ServerHost } from '../app'
import type { H3Event } from 'nitro/h3'
import { configKey, optionKinds } from '#unsession/host'
import { useNitroApp as useApp } from 'nitro/app'
import { useRuntimeConfig } from 'nitro/runtime-config'
import { useStorage as useNitroStorage } from 'nitro/storage'
import { readTexts } from './environment'

/** What was made of runtime config, which stays the same. */
const read = new WeakMap<object, object>()

export const readConfig: ServerHost['readConfig'] = () => {
  const config = (useRuntimeConfig() as Record<string, object>)[configKey]
  if (typeof config !== 'object')
    return {}
  const options = read.get(config) ?? readTexts(config, optionKinds)
  read.set(config, options)
  return options
}

export const baseURL: ServerHost['baseURL'] = () => (useRuntimeConfig() as { app: { baseURL: string } }).app.baseURL

export const pathOf: ServerHost['pathOf'] = (event) => {
  const { pathname } = (event as H3Event).url
  const base = baseURL().replace(/\/$/, '')
  return pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : pathname
}

export const getRouteRules: ServerHost['getRouteRules'] = ({ context }) => {
  const { session, isr, prerender } = ((context as H3Event['context']).routeRules ?? {}) as { session?: { autoload?: boolean }, isr?: unknown, prerender?: boolean }
  return { session: session?.autoload, isr, prerender }
}

// unstorage 2 has all that is used of v1.
export const useStorage: ServerHost['useStorage'] = base => useNitroStorage(base) as ReturnType<ServerHost['useStorage']>

export const useNitroApp: ServerHost['useNitroApp'] = () => useApp()
