import { answerDevtools } from '../../handler'

/** Found by Nitro's own scan, so that it runs before every other middleware. The mark is what `defineEventHandler` of h3 v1 sets. */
export default Object.assign(answerDevtools, { __is_handler__: true as const })
