import { describe, expect, it } from 'vitest'
import { hasChromium } from '../../support/chromium'
import { change, data, follow, heading, press, sessionRequests, settled, shown, text, useApp } from './support'

describe.runIf(hasChromium())('tabs of one browser', () => {
  const app = useApp()

  it('a login in one shows in the others, whatever page they are on', async () => {
    const person = await app.person()
    const others = [await person.open('/'), await person.open('/cached/swr'), await person.open('/spa')]
    const page = await person.open('/login')
    await press(page, 'sign in by fetch')
    await heading(page, 'account')
    for (const other of others)
      await expect.poll(...data(other)).toEqual({ user: { name: 'Ada' } })
  })

  it('a change in one shows in the others', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const [page, other] = [await ada.open('/'), await ada.open('/')]
    await change(page, '/api/set', { data: { theme: 'dark' } })
    await expect.poll(...data(other)).toEqual({ user: { name: 'Ada' }, theme: 'dark' })
    await change(other, '/api/set', { data: { theme: 'light' } })
    await expect.poll(...data(page)).toEqual({ user: { name: 'Ada' }, theme: 'light' })
  })

  it.each([
    ['a `$fetch`', 'log out'],
    ['`clear`', 'clear'],
  ])('a logout by %s empties the others', async (_, action) => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const [page, ...others] = [await ada.open('/actions'), await ada.open('/'), await ada.open('/cached/prerendered')]
    for (const other of others)
      await expect.poll(...text(other, 'layout-user')).toBe('Ada')
    await press(page!, action)
    await expect.poll(...text(page!, 'layout-user')).toBe('nobody')
    for (const other of others)
      await expect.poll(...data(other)).toEqual({})
  })

  it('a logout by a form empties the others', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const [page, other] = [await ada.open('/forms'), await ada.open('/')]
    await press(page, 'logout')
    await heading(page, 'start')
    await expect.poll(...data(page)).toEqual({})
    await expect.poll(...data(other)).toEqual({})
  })

  it('a login by a form shows in the others', async () => {
    const person = await app.person()
    const [page, other] = [await person.open('/login'), await person.open('/')]
    await page.getByLabel('Name').fill('Ada')
    await press(page, 'sign in')
    await heading(page, 'account')
    await expect.poll(...data(other)).toEqual({ user: { name: 'Ada' } })
  })

  it('a login or logout on a page that does not show the session is heard by the others', async () => {
    const person = await app.person()
    const [page, other] = [await person.open('/quiet'), await person.open('/')]
    const post = (path: string): Promise<unknown> => page.evaluate(path => fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }).then(response => response.text()), path)
    await post('/api/login')
    await expect.poll(...data(other)).toEqual({ user: { name: 'Ada' } })
    await post('/api/logout')
    await expect.poll(...data(other)).toEqual({})
  })

  it('a page that was rendered before the logout and hydrates after it is emptied too', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const other = await ada.open('/actions')
    const late = await ada.context.newPage()
    let release = (): void => {}
    const released = new Promise<void>(resolve => release = resolve)
    await late.route('**/_nuxt/**', async (route) => {
      await released
      await route.continue()
    })
    await late.goto('/', { waitUntil: 'commit' })
    await expect.poll(...text(late, 'layout-user')).toBe('Ada')
    await press(other, 'log out')
    await expect.poll(...text(other, 'layout-user')).toBe('nobody')
    release()
    await expect.poll(...text(late, 'layout-user')).toBe('nobody')
  })

  it('a guarded page of another tab keeps out after the logout', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const [page, other] = [await ada.open('/actions'), await ada.open('/')]
    await press(page, 'log out')
    await expect.poll(...data(other)).toEqual({})
    await follow(other, '/account', 'login')
  })

  it('a message of one is not taken by another', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const [page, other] = [await ada.open('/messages'), await ada.open('/messages')]
    await change(page, '/api/set', { data: { count: 7 }, flash: { success: 'Saved' } })
    await expect.poll(...text(page, 'success')).toBe('"Saved"')
    await expect.poll(...text(other, 'layout-count')).toBe('7')
    await settled(other)
    expect(await shown(other, 'success')).toEqual(['none'])
  })

  it('a message that waits for the next page of one is not taken by another that hears of a change', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const [page, other] = [await ada.open('/quiet'), await ada.open('/messages')]
    await change(page, '/api/set', { data: { count: 7 }, flash: { success: 'Saved' } })
    await expect.poll(...text(other, 'layout-count')).toBe('7')
    await settled(other)
    expect(await shown(other, 'success')).toEqual(['none'])
    await follow(page, '/messages')
    await expect.poll(...text(page, 'success')).toBe('"Saved"')
  })

  it('tabs do not answer each other for ever', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const [page, other] = [await ada.open('/'), await ada.open('/')]
    const requests = [sessionRequests(page), sessionRequests(other)]
    await change(page, '/api/set', { data: { theme: 'dark' } })
    await expect.poll(...data(other)).toMatchObject({ theme: 'dark' })
    for (let round = 0; round < 5; round++)
      await Promise.all([settled(page), settled(other)])
    expect(requests.map(({ length }) => length)).toEqual([1, 1])
  })

  it('a change that nobody may see is not told', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const [page, other] = [await ada.open('/'), await ada.open('/')]
    const requests = sessionRequests(other)
    await change(page, '/api/set', { data: { secret: 'another' } })
    await Promise.all([settled(page), settled(other)])
    expect(requests).toEqual([])
  })

  it('another browser hears nothing', async () => {
    const [ada, bob] = [await app.person({ signedInAs: 'Ada' }), await app.person({ signedInAs: 'Bob' })]
    const [adas, bobs] = [await ada.open('/actions'), await bob.open('/')]
    const requests = sessionRequests(bobs)
    await press(adas, 'log out')
    await expect.poll(...text(adas, 'layout-user')).toBe('nobody')
    await settled(bobs)
    await expect.poll(...data(bobs)).toEqual({ user: { name: 'Bob' } })
    expect(requests).toEqual([])
  })
})
