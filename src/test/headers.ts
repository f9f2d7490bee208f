import type { DefaultData, SessionPatch, SessionRecord } from '../core/types'
import type { PlainSessionOptions } from '../plain/app'
import { MAX_COOKIE_BYTES } from '../core/cookie/set-cookie'
import { SessionError } from '../core/errors'
import { createId } from '../core/id'
import { DEFAULTS } from '../core/options'
import { createRecord } from '../core/record/record'
import { largestKeys } from '../core/record/size'
import { createTestCodec, TEST_COOKIE } from '../core/testing/test-cookie'
import { readTestKey } from '../core/testing/test-key'
import { plainAppOf } from '../plain/app'
import { beginSession } from './begin-session'
import { type TestContent, type TestFlash, toContent } from './content'

export interface SessionHeadersOptions {
  /** Messages that nobody has read yet. */
  flash?: TestFlash
  /**
   * For an app that is not built, by `unsession/h3`: the options that it gives to
   * `sessionMiddleware` or `useSession`. The session is stored where they say.
   */
  options?: PlainSessionOptions
}

export interface SessionCookiesOptions extends SessionHeadersOptions {
  /** Where the app is, such as `url('/')` of `@nuxt/test-utils`. */
  url: string
}

/** A cookie as `addCookies` of Playwright takes it. */
export interface TestCookie {
  name: string
  value: string
  url: string
  httpOnly: boolean
  secure: boolean
  sameSite: 'Lax'
}

/**
 * The headers of a visitor who has a session: for `fetch` and `$fetch` to an app that this test
 * built, or that runs in development. Each call makes up another session; requests with the same
 * headers have the same one, and find what earlier ones changed.
 *
 * @throws SessionError `INVALID_VALUE` for a value that no session can keep, `COOKIE_ERROR` for more
 * than fits into a cookie, `CONFIG_ERROR` where `NODE_ENV` is `production`
 */
export async function sessionHeaders<T extends object = DefaultData>(data: SessionPatch<NoInfer<T>>, options?: SessionHeadersOptions): Promise<{ cookie: string }> {
  const { name, value } = await makeCookie(data, options)
  return { cookie: `${name}=${value}` }
}

/**
 * The cookies of a visitor who has a session, for a browser:
 * `await page.context().addCookies(await sessionCookies({ userId: 1 }, { url }))`.
 *
 * @throws as {@link sessionHeaders}
 */
export async function sessionCookies<T extends object = DefaultData>(data: SessionPatch<NoInfer<T>>, { url, ...options }: SessionCookiesOptions): Promise<TestCookie[]> {
  const cookie = await makeCookie(data, options)
  return [{ ...cookie, url, httpOnly: true, sameSite: 'Lax' }]
}

type MadeCookie = Pick<TestCookie, 'name' | 'value' | 'secure'>

async function makeCookie(data: object, { flash, options }: SessionHeadersOptions = {}): Promise<MadeCookie> {
  const content = toContent(data, flash)
  return options ? ofApp(content, options) : ofBuild(content)
}

/** A cookie that the app takes for a session, at its first request. */
function ofBuild(content: TestContent): MadeCookie {
  if (process.env.NODE_ENV === 'production')
    throw new SessionError('CONFIG_ERROR', 'NODE_ENV is `production`, so what this process builds takes no sessions of tests. Run the tests without it.')
  const record = { ...createRecord(Date.now(), DEFAULTS), ...content }
  const value = createTestCodec(readTestKey()).write({ id: createId(), record })
  assertFits(TEST_COOKIE.length + 1 + value.length, record)
  return { name: TEST_COOKIE, value, secure: false }
}

function assertFits(size: number, record: SessionRecord): void {
  if (size <= MAX_COOKIE_BYTES)
    return
  const { largest, text } = largestKeys(record)
  throw new SessionError(
    'COOKIE_ERROR',
    `The cookie of this session would be ${size} bytes; cookies have ${MAX_COOKIE_BYTES} at most. The largest keys are ${text}. Begin with less, and let a request of the test store the rest.`,
    { details: { size, limit: MAX_COOKIE_BYTES, largest } },
  )
}

async function ofApp(content: TestContent, options: PlainSessionOptions): Promise<MadeCookie> {
  const app = plainAppOf(options)
  const header = await beginSession(app, content)
  const { name, secure } = app.managers.get().options.cookie
  return { name, value: header?.slice(name.length + 1).split(';', 1)[0] ?? '', secure }
}
