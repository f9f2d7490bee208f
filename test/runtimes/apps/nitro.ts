import type { Files } from '../../support/apps'
import type { AppKind } from './kind'
import { nitroApp } from '../../support/apps'
import { IOREDIS } from './kind'
import { keepOutput, toConfig, toEnv } from './nitro-host'

export const nitro2 = nitro('nitropack', `import { defineNitroConfig as defineConfig } from 'nitropack/config'`, nitroApp)

export const nitro3 = nitro('nitro', `import { defineConfig } from 'nitro'`, {
  'routes/me.ts': `import { defineHandler } from 'nitro/h3'
import { flash, useSession } from 'unsession/server'

export default defineHandler(async (event) => {
  const session = await useSession(event)
  return { user: session.get('user') ?? null, message: flash(event, 'success') ?? null }
})
`,
  'routes/visits.ts': `import { defineHandler } from 'nitro/h3'
import { updateSession } from 'unsession/server'

export default defineHandler(event =>
  updateSession(event, data => ({ visits: (data.visits ?? 0) + 1 })))
`,
  'routes/login.post.ts': `import { defineHandler, redirect } from 'nitro/h3'
import { flash, regenerateSession } from 'unsession/server'

export default defineHandler(async (event) => {
  await regenerateSession(event, { user: 'Ada' })
  flash(event, 'success', 'Welcome')
  return redirect('/me', 303)
})
`,
  'routes/logout.post.ts': `import { defineHandler, noContent } from 'nitro/h3'
import { destroySession } from 'unsession/server'

export default defineHandler(async (event) => {
  await destroySession(event)
  return noContent()
})
`,
})

function nitro(name: 'nitropack' | 'nitro', importLine: string, files: Files): AppKind {
  return {
    title: version => `Nitro ${version}`,
    packages: version => [`${name}@${version}`, IOREDIS],
    files: () => files,
    async build(app, target) {
      const config = { ...toConfig(target), ...name === 'nitro' && { serverDir: '.' } }
      await app.add({ 'nitro.config.ts': `${importLine}\n\nexport default defineConfig(${JSON.stringify(config, null, 2)})\n` })
      await app.bin(name, 'build', '--preset', target.runtime.preset)
      return keepOutput(app)
    },
    toEnv,
  }
}
