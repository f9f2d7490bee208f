import type { Page } from 'playwright-core'
import { join } from 'node:path'
import { launchChromium } from '../test/support/chromium'
import { startCommand } from '../test/support/nitro'
import { freePort } from '../test/support/ports'

/** Makes the pictures of the README: the playground, and its development page. */
const root = join(import.meta.dirname, '..')
const server = await startCommand('npm', ['run', 'dev', '--', '--port', String(await freePort())], {}, root)
const browser = await launchChromium()
try {
  const { page: other } = await openPage()
  await signIn(other, 'alan', 'turing')

  const { page, post } = await openPage()
  await post('/api/theme', { theme: 'light' })
  await post('/api/visits')
  await post('/api/visits')
  await signIn(page, 'ada', 'charles')
  await signIn(page, 'ada', 'lovelace')
  await page.getByText('Welcome, Ada Lovelace.').waitFor()
  await take(page, 'playground')

  await post('/api/messages')
  await page.goto('/__unsession__')
  await page.getByText('Ada Lovelace').first().waitFor()
  await take(page, 'devtools')
}
finally {
  await browser.close()
  await server.stop()
}

/** A visitor of their own, and what they send beside the page. */
async function openPage(): Promise<{ page: Page, post: (path: string, data?: object) => Promise<unknown> }> {
  const context = await browser.newContext({ baseURL: server.url, viewport: { width: 1280, height: 800 }, colorScheme: 'light' })
  return { page: await context.newPage(), post: (path, data) => context.request.post(path, { data }) }
}

async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.goto('/login')
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.locator('main').getByRole('button', { name: 'Sign in' }).click()
  await page.getByText(/Welcome|do not match/).waitFor()
}

async function take(page: Page, name: string): Promise<void> {
  await page.waitForLoadState('networkidle')
  await page.screenshot({ path: join(root, `docs/${name}.png`), animations: 'disabled', caret: 'hide' })
}
