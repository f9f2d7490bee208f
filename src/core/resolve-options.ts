import type { CoreSessionOptions, ResolvedCookieOptions, ResolvedSessionOptions, SessionCookieOptions } from './options'
import { SessionError } from './errors'
import { DEFAULTS } from './options'
import { MAX_LIFETIME_SECONDS } from './record/record'

export const MIN_SECRET_LENGTH = 32

/** Random characters repeat; so few of them are a word, or one key held down. */
const MIN_DIFFERENT_CHARACTERS = 8

/** One thing that is wrong with the options. */
export interface OptionIssue {
  /** For example `cookie.sameSite`. */
  path: string
  problem: string
  remedy: string
}

export interface ResolveContext {
  /** Decides what `cookie.secure: 'auto'` means. */
  isProduction: boolean
  /** How a message tells the reader to set the secret. */
  secretRemedy?: string
  /**
   * False while the server is built: the environment gives the secret when it starts.
   *
   * @default true
   */
  isSecretNeeded?: boolean
  /** What the host found wrong with options of its own. */
  issues?: OptionIssue[]
  /**
   * How a message calls the options.
   *
   * @default 'the session options'
   */
  subject?: string | undefined
}

/**
 * Fills in the defaults and checks every rule. Empty strings count as not set, because that
 * is how options arrive that only the environment may fill.
 *
 * @throws SessionError `CONFIG_ERROR` with all problems at once, each with its remedy
 */
export function resolveOptions(options: CoreSessionOptions, context: ResolveContext): ResolvedSessionOptions {
  const { resolved, issues } = examine(options, context)
  if (issues.length > 0)
    throw configError(issues, context.subject)
  return resolved
}

/** What is wrong with options, as {@link resolveOptions} would say it. */
export function checkOptions(options: CoreSessionOptions, context: ResolveContext): OptionIssue[] {
  return examine(options, context).issues
}

function examine(options: CoreSessionOptions, context: ResolveContext): { resolved: ResolvedSessionOptions, issues: OptionIssue[] } {
  const given = withoutUnset(options)
  const isGroup = typeof (given.cookie ?? {}) === 'object' && !Array.isArray(given.cookie)
  const cookie = resolveCookie(isGroup ? given.cookie ?? {} : {}, context)
  const resolved: ResolvedSessionOptions = {
    mode: given.mode ?? DEFAULTS.mode,
    secrets: toSecrets(given.secret),
    maxAge: Math.min(given.maxAge ?? DEFAULTS.maxAge, MAX_LIFETIME_SECONDS),
    idleTimeout: given.idleTimeout ?? DEFAULTS.idleTimeout,
    encrypt: given.encrypt ?? DEFAULTS.encrypt,
    timeout: given.timeout ?? DEFAULTS.timeout,
    maxBytes: given.maxBytes ?? DEFAULTS.maxBytes,
    saveUninitialized: given.saveUninitialized ?? DEFAULTS.saveUninitialized,
    userKey: given.userKey,
    expose: given.expose ?? DEFAULTS.expose,
    cookie,
  }
  const issues = [
    ...checkSecrets(resolved.secrets, context),
    ...checkScalars(resolved, given),
    ...isGroup ? checkCookie(cookie) : [issue('cookie', given.cookie, 'Use an object of attributes.')],
    ...context.issues ?? [],
  ]
  return { resolved, issues }
}

function resolveCookie(given: SessionCookieOptions, { isProduction }: ResolveContext): ResolvedCookieOptions {
  const cookie = { ...DEFAULTS.cookie, ...withoutUnset(given) }
  const secure = cookie.secure === 'auto' ? isProduction : cookie.secure
  const sameSite = cookie.sameSite === true ? 'strict' : cookie.sameSite
  return { ...cookie, sameSite, secure, name: cookie.name === 'auto' ? automaticName({ ...cookie, secure }) : cookie.name }
}

/** The name with the most protection that the attributes allow: ASVS 5.0, V3.3.1 and V3.3.3. */
function automaticName({ secure, path, domain }: Pick<ResolvedCookieOptions, 'secure' | 'path' | 'domain'>): string {
  if (!secure)
    return 'session'
  return path === '/' && domain === undefined ? '__Host-session' : '__Secure-session'
}

/** @param subject what has the issues */
export function configError(issues: readonly OptionIssue[], subject = 'the session options'): SessionError {
  const lines = issues.map(({ path, problem, remedy }) => `  - ${path}: ${problem} ${remedy}`)
  return new SessionError('CONFIG_ERROR', [`unsession: ${subject} are not valid.`, ...lines].join('\n'), { details: { issues } })
}

const SECRET_REMEDY = 'Pass at least 32 random characters, best from the environment, for example the output of `openssl rand -base64 32`.'

function checkSecrets(secrets: readonly unknown[], { secretRemedy: remedy = SECRET_REMEDY, isSecretNeeded = true }: ResolveContext): OptionIssue[] {
  if (secrets.length === 0)
    return isSecretNeeded ? [{ path: 'secret', problem: 'It is missing.', remedy }] : []
  return secrets.flatMap((secret, index) => {
    const problem = secretProblem(secret)
    return problem ? [{ path: secrets.length > 1 ? `secret[${index}]` : 'secret', problem, remedy }] : []
  })
}

function secretProblem(secret: unknown): string | undefined {
  if (typeof secret !== 'string')
    return 'It is not a string.'
  // White space around it comes from a file or an editor.
  const { length } = secret.trim()
  if (length < MIN_SECRET_LENGTH)
    return `It has ${length} characters${length < secret.length ? ', without the white space around it,' : ''} and needs at least ${MIN_SECRET_LENGTH}.`
  const different = new Set(secret.trim()).size
  return different < MIN_DIFFERENT_CHARACTERS ? `It has only ${different} different characters and needs at least ${MIN_DIFFERENT_CHARACTERS}.` : undefined
}

function checkScalars(options: ResolvedSessionOptions, given: CoreSessionOptions): OptionIssue[] {
  return [
    ...oneOf('mode', options.mode, ['storage', 'cookie']),
    ...wholeNumber('maxAge', given.maxAge ?? options.maxAge, 1, 'seconds'),
    ...wholeNumber('idleTimeout', options.idleTimeout, 0, 'seconds'),
    ...wholeNumber('timeout', options.timeout, 1, 'milliseconds'),
    ...wholeNumber('maxBytes', options.maxBytes, 1, 'bytes'),
    ...trueOrFalse('encrypt', options.encrypt),
    ...trueOrFalse('saveUninitialized', options.saveUninitialized),
    ...(['string', 'undefined'].includes(typeof options.userKey) ? [] : [issue('userKey', options.userKey, 'Use the name of a data key.')]),
    ...checkExpose(options.expose),
  ]
}

function checkExpose(expose: unknown): OptionIssue[] {
  const isList = Array.isArray(expose) && expose.every(key => typeof key === 'string' && key !== '')
  return isList ? [] : [issue('expose', expose, 'Use an array of data keys, in the environment as JSON.')]
}

function checkCookie(cookie: ResolvedCookieOptions): OptionIssue[] {
  const { secure, sameSite, partitioned, priority } = cookie
  return [
    ...(sameSite === false ? [] : oneOf('cookie.sameSite', sameSite, ['strict', 'lax', 'none'])),
    ...(priority === undefined ? [] : oneOf('cookie.priority', priority, ['low', 'medium', 'high'])),
    ...trueOrFalse('cookie.httpOnly', cookie.httpOnly),
    ...(typeof secure === 'boolean' ? [] : [issue('cookie.secure', secure, 'Use true, false or \'auto\'.')]),
    ...(partitioned === undefined ? [] : trueOrFalse('cookie.partitioned', partitioned)),
    ...checkCookieAddress('cookie', cookie),
    ...checkSecureRules(cookie),
  ]
}

/** What is wrong with where a cookie is to be; what is not given is not checked. */
export function checkCookieAddress(at: string, { name, path, domain }: { name?: unknown, path?: unknown, domain?: unknown }): OptionIssue[] {
  const issues: OptionIssue[] = []
  // RFC 6265, section 4.1.1: a name is an RFC 9110 token.
  if (name !== undefined && (typeof name !== 'string' || !/^[\w!#$%&'*+.^`|~-]{1,128}$/.test(name)))
    issues.push(issue(`${at}.name`, name, 'Use letters, digits, - and _.'))
  // Printable ASCII without the separator; spaces at its ends would be trimmed by the browser.
  if (path !== undefined && (typeof path !== 'string' || !/^\/[\x21-\x3A\x3C-\x7E]*$/.test(path)))
    issues.push(issue(`${at}.path`, path, 'Use a path that starts with /.'))
  if (domain !== undefined && (typeof domain !== 'string' || !/^\.?[a-z\d](?:[a-z\d.-]*[a-z\d])?$/i.test(domain)))
    issues.push(issue(`${at}.domain`, domain, 'Use a host name such as example.com.'))
  return issues
}

/** What browsers refuse without telling anybody: RFC 6265bis, sections 4.1.3 and 5.7. */
function checkSecureRules({ name, path, domain, secure, sameSite, partitioned }: ResolvedCookieOptions): OptionIssue[] {
  const issues: OptionIssue[] = []
  const needsSecure = 'Browsers drop it without secure. Set cookie.secure to true.'
  const prefix = /^__(?:Host|Secure)-/i.exec(String(name))?.[0].toLowerCase()
  if (secure === false) {
    if (sameSite === 'none')
      issues.push({ path: 'cookie.sameSite', problem: 'It is \'none\'.', remedy: needsSecure })
    if (partitioned === true)
      issues.push({ path: 'cookie.partitioned', problem: 'It is true.', remedy: needsSecure })
    if (prefix)
      issues.push({ path: 'cookie.name', problem: `It starts with ${prefix === '__host-' ? '__Host-' : '__Secure-'}.`, remedy: needsSecure })
  }
  if (prefix === '__host-' && path !== '/')
    issues.push({ path: 'cookie.path', problem: 'A __Host- cookie must have the path /.', remedy: 'Remove cookie.path, or use a __Secure- name.' })
  if (prefix === '__host-' && domain !== undefined)
    issues.push({ path: 'cookie.domain', problem: 'A __Host- cookie cannot have a domain.', remedy: 'Remove cookie.domain, or use a __Secure- name.' })
  return issues
}

/** What is wrong with a value that must be true or false. */
export function trueOrFalse(path: string, value: unknown): OptionIssue[] {
  return typeof value === 'boolean' ? [] : [issue(path, value, 'Use true or false.')]
}

function oneOf(path: string, value: unknown, allowed: readonly string[]): OptionIssue[] {
  return allowed.includes(value as string) ? [] : [issue(path, value, `Use ${allowed.map(item => `'${item}'`).join(' or ')}.`)]
}

function wholeNumber(path: string, value: unknown, least: number, unit: string): OptionIssue[] {
  return Number.isSafeInteger(value) && value as number >= least ? [] : [issue(path, value, `Use a whole number of ${unit}, ${least} or more.`)]
}

/** That a value is not allowed, without showing more of it than is safe. */
export function issue(path: string, value: unknown, remedy: string): OptionIssue {
  return { path, problem: `${describeValue(value)} is not allowed.`, remedy }
}

/** A value as a message shows it: objects may hold anything. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.slice(0, 40))
  if (typeof value === 'function')
    return 'a function'
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}

function toSecrets(secret: CoreSessionOptions['secret']): string[] {
  return secret === undefined ? [] : [secret].flat()
}

/** Options that the environment may fill arrive empty where it did not. */
export function withoutUnset<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null && value !== '')) as T
}
