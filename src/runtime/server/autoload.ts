import type { ServerEvent } from './app'
import { isConfiguredPerRequest } from '#unsession/host'
import { getRouteRules, readConfig } from '#unsession/server'
import { getBag } from '../../http/bag'

/** Loads the session of a request that carries its cookie, unless the route opted out. */
export async function autoloadSession(event: ServerEvent): Promise<void> {
  const bag = getBag(event.context)
  // With an event Nitro copies the whole config, for every request anew.
  const config = readConfig(isConfiguredPerRequest ? event : undefined)
  if (!bag || config.autoload === false || getRouteRules(event).session === false)
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
