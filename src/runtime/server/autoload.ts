import type { ServerEvent } from './app'
import { isConfiguredPerRequest } from '#unsession/host'
import { getRouteRules, readConfig } from '#unsession/server'
import { sessionsIn } from '../../http/find-sessions'

/**
 * Loads the session of a request that carries its cookie, unless the route opted out, or there
 * is nothing to do for a session that nobody uses.
 */
export function autoloadSession(event: ServerEvent): Promise<unknown> | undefined {
  // With an event Nitro copies the whole config, for every request anew.
  const config = readConfig(isConfiguredPerRequest ? event : undefined)
  if (config.autoload === false || getRouteRules(event).session === false)
    return undefined
  try {
    // A failure is remembered and thrown when the session is first used: other pages still answer.
    return sessionsIn(event.context)?.load(event)?.catch(() => {})
  }
  catch {
    return undefined
  }
}
