import type { H3Event } from 'h3'
import { isConfiguredPerRequest } from '#unsession/host'
import { getRouteRules } from 'nitropack/runtime'
import { getBag } from '../../http/bag'
import { readConfig } from './options'

/** Loads the session of a request that carries its cookie, unless the route opted out. */
export async function autoloadSession(event: H3Event): Promise<void> {
  const bag = getBag(event.context)
  // With an event Nitro copies the whole config, for every request anew.
  const config = readConfig(isConfiguredPerRequest ? event : undefined)
  // TypeScript sees our augmentation of the rules or not, depending on the order of its files.
  const rules = getRouteRules(event) as { session?: boolean }
  if (!bag || config.autoload === false || rules.session === false)
    return
  try {
    const session = bag.open(event)
    if (session.isCarried || config.saveUninitialized)
      await session.load()
  }
  catch {
    // Remembered and thrown when the session is first used: other pages still answer.
  }
}
