import type { DefaultData, SessionPatch } from '../core/types'
import { SessionError } from '../core/errors'
import { type TestFlash, toContent } from './content'

/** Where the page is found. */
const PAGE = Symbol.for('unsession.page')

/**
 * Gives the page of a component test (`@nuxt/test-utils/runtime`) a session: what
 * `useClientSession` and `useFlash` show, and what `clear` ends. Each call replaces the one before;
 * an empty object is a visitor without a session.
 *
 * @throws SessionError `INVALID_VALUE` for a value that no session can keep, `CONFIG_ERROR` outside of
 * the environment `nuxt` of vitest
 */
export async function mountSession<T extends object = DefaultData>(data: SessionPatch<NoInfer<T>>, { flash }: { flash?: TestFlash } = {}): Promise<void> {
  const content = toContent(data, flash)
  const mount = (globalThis as { [PAGE]?: (session: object) => Promise<void> })[PAGE]
  if (!mount)
    throw new SessionError('CONFIG_ERROR', '`mountSession` is for component tests in the environment `nuxt` of `@nuxt/test-utils`, in an app that has `unsession` among its modules.')
  await mount(content)
}
