import { autoloadSession } from '../../autoload'

/**
 * Found by Nitro's own scan, so that it runs before the app's middleware and after static
 * files. The mark is what `defineEventHandler` of h3 v1 sets.
 */
export default Object.assign(autoloadSession, { __is_handler__: true as const })
