import type { ServerHost } from '../app'
import type { H3Event } from 'h3'
import { configKey } from '#unsession/host'
import { getRouteRules as getNitroRules, useNitroApp as useApp, useStorage as useNitroStorage, useRuntimeConfig } from 'nitropack/runtime'

export const readConfig: ServerHost['readConfig'] = event =>
  (useRuntimeConfig(event as H3Event) as Record<string, object>)[configKey] ?? {}

export const baseURL: ServerHost['baseURL'] = () => useRuntimeConfig().app.baseURL

// Nitro 2 takes the base URL off before anybody sees the path.
export const pathOf: ServerHost['pathOf'] = ({ path }) => path.split('?', 1)[0]!

export const getRouteRules: ServerHost['getRouteRules'] = (event) => {
  const { session, isr, prerender } = getNitroRules(event as H3Event)
  return { session: typeof session === 'object' ? session.autoload : session, isr, prerender }
}

export const useStorage: ServerHost['useStorage'] = base => useNitroStorage(base)

export const useNitroApp: ServerHost['useNitroApp'] = () => useApp()
