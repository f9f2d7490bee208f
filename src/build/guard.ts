import type { OptionIssue } from '../core/resolve-options'
import { unknownOptions } from '../core/option-names'
import { isPlainObject } from '../core/record/value'
import { issue } from '../core/resolve-options'

/** The option `guard`: what the route middleware `session` and `<SessionState>` ask for where a page says nothing else. */
export interface GuardOptions {
  /**
   * A key in `expose` that a visitor must have.
   *
   * @default the option `userKey` if that is exposed; otherwise any exposed key will do
   */
  require?: string
  /**
   * Where others are sent.
   *
   * @default '/login'
   */
  redirectTo?: string
}

const GUARD = { require: '', redirectTo: '/login' }

export function resolveGuard(guard: GuardOptions | undefined, { expose, userKey }: { expose: readonly string[], userKey: string | undefined }): GuardOptions {
  const own = userKey !== undefined && expose.includes(userKey) ? { require: userKey } : {}
  return { redirectTo: GUARD.redirectTo, ...own, ...guard }
}

/** All that is wrong with the option. */
export function checkGuard(guard: unknown, expose: readonly string[]): OptionIssue[] {
  if (guard === undefined)
    return []
  if (typeof guard !== 'object' || guard === null || !isPlainObject(guard))
    return [issue('guard', guard, 'Give an object, such as `{ require: \'user\', redirectTo: \'/login\' }`.')]
  const { require, redirectTo } = guard as Record<keyof GuardOptions, unknown>
  const issues = unknownOptions(guard, GUARD, 'guard.')
  if (require !== undefined && !expose.includes(require as string))
    issues.push(issue('guard.require', require, 'Name a key in `expose`: pages know no other. What a function decides, a page says itself: `definePageMeta({ session: { require: data => ... } })`.'))
  if (redirectTo !== undefined && !(typeof redirectTo === 'string' && /^\/(?!\/)/.test(redirectTo)))
    issues.push(issue('guard.redirectTo', redirectTo, 'Give a path of the app, such as \'/login\'.'))
  return issues
}
