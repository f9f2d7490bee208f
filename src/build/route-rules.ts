import type { Nitro } from './nitro'
import type { OptionIssue } from '../core/resolve-options'
import { unknownOptions } from '../core/option-names'
import { issue, trueOrFalse } from '../core/resolve-options'

/** What a route can have of its own. */
const KEYS = { autoload: true }

/** What is wrong with the rules `session` of the app's routes. */
export function checkRouteRules({ options: { routeRules } }: Nitro): OptionIssue[] {
  return Object.entries(routeRules as Record<string, { session?: unknown } | undefined>).flatMap(([route, rules]) => {
    const { session } = rules ?? {}
    const path = `routeRules['${route}'].session`
    if (session === undefined || typeof session === 'boolean')
      return []
    if (typeof session !== 'object' || session === null || Array.isArray(session))
      return [issue(path, session, 'Use true or false.')]
    const { autoload = true } = session as { autoload?: unknown }
    return [...unknownOptions(session, KEYS, `${path}.`), ...trueOrFalse(`${path}.autoload`, autoload)]
  })
}
