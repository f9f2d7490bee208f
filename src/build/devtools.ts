import type { Nitro } from './nitro'
import { readFileSync } from 'node:fs'

/** Where the development page is, below the app's base URL. */
const PATH = '__unsession__'

/** In development only: a page that shows the sessions. Production builds hold nothing of it. */
export function addDevtools({ options }: Nitro, dir: string): void {
  if (!options.dev)
    return
  // Scanned first: no middleware that loads sessions or guards pages runs before it.
  options.scanDirs.unshift(`${dir}/scan`)
  options.virtual['#unsession/devtools'] = () => [
    `export const path = ${JSON.stringify(PATH)}`,
    ...['page.html', 'icon.svg'].map((file) => {
      const [name] = file.split('.')
      return `export const ${name} = ${JSON.stringify(readFileSync(`${dir}/${file}`, 'utf8'))}`
    }),
  ].join('\n')
}

/**
 * Adds the page to Nuxt DevTools.
 *
 * @param hook that of Nuxt, which knows the hooks of Nuxt DevTools only where these are installed
 * @param baseURL that of the app
 */
export function addDevtoolsTab(hook: unknown, baseURL: string): void {
  const src = `${baseURL.replace(/\/$/, '')}/${PATH}`
  const tab = { name: 'unsession', title: 'Sessions', icon: `${src}/icon.svg`, category: 'server', view: { type: 'iframe', src } }
  const hookTabs = hook as (name: 'devtools:customTabs', callback: (tabs: object[]) => void) => void
  hookTabs('devtools:customTabs', tabs => void tabs.push(tab))
}
