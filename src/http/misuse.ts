import { SessionError } from '../core/errors'
import { assertNoMore, kindOf, misuse } from '../core/calls/misuse'

/** The options of h3's own session utils, which have the names of ours. */
const H3_OPTIONS = /^(?:password|name|maxAge|idleTimeout|cookie|seal|legacySealFallback|crypto|sessionHeader|generateId)$/

/** h3 takes no shorter one. */
const MIN_PASSWORD_LENGTH = 32

/**
 * @param call the call as it is written here
 * @param given what came after the event
 * @param known how many arguments may come after the event
 * @throws SessionError `CONFIG_ERROR` for a call of h3's util of the same name, `INVALID_VALUE`
 * for more arguments than there are
 */
export function assertOurs(call: string, given: readonly unknown[], known = 0): void {
  const [config] = given
  if (given.length > known && isH3Config(config))
    throw h3Call(call)
  assertNoMore(call, given.slice(known))
  if (isOnlyH3Config(config))
    throw h3Call(call, ' To keep a key named `password` write `session.set(\'password\', value)`.')
}

/**
 * @param options those of `useSession`
 * @param more what else can be written
 * @throws SessionError `CONFIG_ERROR` for options of h3, `INVALID_VALUE` for what is no object
 */
export function assertOptions(options: unknown, more?: string): void {
  if (options === undefined || options === null)
    return
  if (typeof options !== 'object' || Array.isArray(options))
    throw misuse('useSession(event, options)', 'an object of options', options, 'await useSession(event, { cookie: { name: \'cart\' } })')
  if (isH3Config(options))
    throw h3Call('await useSession(event)', more)
}

/** @throws SessionError `INVALID_VALUE` */
export function assertEvent(call: string, event: unknown): void {
  if (typeof event !== 'object' || event === null)
    throw notAnEvent(call, event)
}

export function notAnEvent(call: string, value: unknown): SessionError {
  return misuse(call, 'the event of the handler as its first argument', value, `defineEventHandler(event => ${call.replace('await ', '')})`)
}

/** For events that tests write by hand. */
export function notWhole(call: string): SessionError {
  return new SessionError('INVALID_VALUE', `\`${call}\` takes the event of a handler, and got one that lacks its request or its response. In a unit test, make it with \`await createSessionEvent()\` of \`unsession/test\`.`)
}

/** True for options as h3's utils take them. */
function isH3Config(value: unknown): value is { password: unknown } {
  return typeof value === 'object' && value !== null && 'password' in value
}

/** True for what cannot be meant as data: options of h3 alone, with a password that it would take. */
function isOnlyH3Config(value: unknown): boolean {
  return isH3Config(value)
    && Object.keys(value).every(key => H3_OPTIONS.test(key))
    && (typeof value.password === 'string' ? value.password.length >= MIN_PASSWORD_LENGTH : kindOf(value.password) === 'an object')
}

/** @param call the line to write */
function h3Call(call: string, more = ''): SessionError {
  return new SessionError('CONFIG_ERROR', `Options with a \`password\` are those of h3's util of the same name. Here they are given once, in the config or to \`sessionMiddleware\`: write \`${call}\`.${more}`)
}
