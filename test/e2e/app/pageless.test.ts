import { describe, expect, it } from 'vitest'
import { hasChromium } from '../../support/chromium'
import { heading, text, useApp } from './support'

describe('an app without pages', () => {
  const app = useApp({}, 'nuxt-pageless')

  it('is guarded where a route rule names the middleware `session`', async () => {
    const visitor = app.visitor()
    const refused = await visitor.fetch('/account')
    expect([refused.status, refused.headers.get('location')]).toEqual([302, '/login'])
    await visitor.post('/api/login')
    expect((await visitor.fetch('/account')).status).toBe(200)
  })

  it.runIf(hasChromium())('a message goes with the next navigation', async () => {
    const person = await app.person()
    await person.post('/api/login')
    const page = await person.context.newPage()
    await page.goto('/account', { waitUntil: 'networkidle' })
    expect(await page.locator('#message').textContent()).toBe('Welcome.')
    await page.getByRole('link', { name: 'next' }).click()
    await heading(page, '/next')
    await expect.poll(...text(page, 'message')).toBe('none')
  })
})
