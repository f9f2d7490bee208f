import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { COOKIE, createVisitor, setCookiesOf } from '../support/browser'
import { startServer } from '../support/nitro'
import { buildNitro3 } from '../support/nitro3'

describe('the auto-imports of Nitro 3', () => {
  it('bring the utils where they were asked for, and let the app\'s own name win', async () => {
    const built = await buildNitro3('nitro3-auto-imports')
    const server = await startServer(built.entry)
    const response = await createVisitor(server.url).fetch('/')
    expect(await response.json()).toEqual({ visits: 1, flash: 'the app\'s own' })
    expect(setCookiesOf(response, COOKIE)).toHaveLength(1)
    await server.stop()
    await built.remove()
  })

  it('are none where nobody asked for them', async () => {
    const built = await buildNitro3('nitro3-auto-imports', { session: { mode: 'cookie', autoImports: false } })
    const server = await startServer(built.entry)
    const response = await createVisitor(server.url).fetch('/')
    expect(response.status).toBe(500)
    await expect.poll(() => server.output()).toContain('updateSession is not defined')
    await server.stop()
    await built.remove()
  })

  it('leave nothing of the package that makes them in the server', async () => {
    const built = await buildNitro3('nitro3-auto-imports')
    const files = (await readdir(join(built.outputDir, 'server'), { recursive: true })).filter(file => file.endsWith('.mjs'))
    const texts = await Promise.all(files.map(file => readFile(join(built.outputDir, 'server', file), 'utf8')))
    expect(texts.join()).toContain('updateSession')
    expect(texts.join()).not.toContain('unimport')
    await built.remove()
  })

  it.each([1, 'yes'])('refuse %s for an answer', async (autoImports) => {
    await expect(buildNitro3('nitro3-auto-imports', { session: { autoImports } as object })).rejects.toThrow('- autoImports: ')
  })
})
