import { exposed } from '#build/unsession.mjs'

const told = new Set<string>()

/** Data that in development tells of keys which no page will ever see. */
export function tellUnexposed<T extends object>(data: T): T {
  if (!import.meta.dev)
    return data
  return new Proxy(data, {
    get(_, key) {
      if (typeof key === 'string' && !(key in data) && !exposed.includes(key) && !/^(?:_|\$|then$|toJSON$)/.test(key) && !told.has(key)) {
        told.add(key)
        console.warn(`[unsession] The page asks for \`${key}\` of the session, which is not exposed, so it is never there. Add it in nuxt.config: \`session: { expose: [${[...exposed, key].map(name => `'${name}'`).join(', ')}] }\`.`)
      }
      return Reflect.get(data, key)
    },
  })
}
