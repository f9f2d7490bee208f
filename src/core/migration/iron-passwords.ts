import { isPlainObject } from '../record/value'
import { MIN_PASSWORD_LENGTH } from './iron'

/** Passwords by the ids that seals name them by. */
export type PasswordsById = Readonly<Record<string, string>>

/** The passwords by their ids. Those that are empty count as not set. */
export function passwordsById(password: string | PasswordsById | undefined | null): ReadonlyMap<string, string> {
  const entries = Object.entries(typeof password === 'string' ? { 1: password } : password ?? {})
  return new Map(entries.filter(([, secret]) => secret !== ''))
}

/** What is wrong with passwords of iron-session, whatever they are. */
export function passwordProblem(password: unknown): string | undefined {
  if (typeof password !== 'string' && !isGroup(password))
    return password === undefined || password === null ? 'It is missing.' : NOT_TEXT
  const passwords = passwordsById(password as PasswordsById)
  const secrets: unknown[] = [...passwords.values()]
  if (secrets.length === 0)
    return 'It is missing.'
  if (!secrets.every(secret => typeof secret === 'string'))
    return NOT_TEXT
  if (![...passwords.keys()].every(id => /^\d+$/.test(id)))
    return 'Its ids are not whole numbers.'
  return secrets.every(secret => secret.length >= MIN_PASSWORD_LENGTH) ? undefined : `It has fewer than the ${MIN_PASSWORD_LENGTH} characters that iron-session demands.`
}

const NOT_TEXT = 'It is neither a string nor an object of strings by their ids.'

function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && isPlainObject(value)
}
