import type { App } from '../support/apps'
import type { RunningServer } from '../support/nitro'
import type { RunningRedis } from '../support/redis'
import type { Cell } from './matrix'
import type { RuntimeName } from './runtimes'
import type { StoreName } from './stores'
import { join } from 'node:path'
import { createApp } from '../support/apps'
import { TEST_SECRET } from '../support/nitro'
import { startRedis } from '../support/redis'
import { RUNTIMES, startOn } from './runtimes'

/** Where a running server keeps its sessions. */
export type Keeping = StoreName | 'cookie'

/** Installs, builds and starts what the cells are made of; each thing once, and when it is needed. */
export interface Workshop {
  /**
   * A server of the cell, from its production build.
   *
   * @param preload a module that runs before it
   */
  start(cell: Cell, keeping: Keeping, preload?: string): Promise<RunningServer>
  /** Ends every server, and removes all that was installed. */
  close(): Promise<void>
}

/** @param tarball the package as npm would publish it */
export function createWorkshop(tarball: string): Workshop {
  const once = createMemory()
  const apps: App[] = []
  const servers: RunningServer[] = []
  let redis: RunningRedis | undefined

  async function createInstalled(packages: string[], files = {}, path: string[] = []): Promise<App> {
    const app = await createApp(files, path)
    apps.push(app)
    if (packages.length > 0)
      await app.run('npm', 'install', '--prefer-offline', ...packages)
    return app
  }

  const install = (name: RuntimeName): Promise<App> => once(['runtime', ...RUNTIMES[name].packages], () => createInstalled(RUNTIMES[name].packages))

  async function createCellApp({ app, version, runtime }: Cell): Promise<App> {
    const { path } = RUNTIMES[runtime] as { path?: string }
    // With the Node of the runtime; the others are built by the machine's.
    const paths = path ? [join((await install(runtime)).dir, path)] : []
    const packages = [...app.packages(version), tarball]
    return once(['app', ...packages, ...paths], () => createInstalled(packages, app.files(version), paths))
  }

  function build(cell: Cell, store: StoreName): Promise<string> {
    const { app, version, runtime } = cell
    return once(['build', app.title(version), runtime, store], async () => {
      const folder = await createCellApp(cell)
      return join(folder.dir, await app.build(folder, { runtime: RUNTIMES[runtime], store }))
    })
  }

  const startOwnRedis = (): Promise<RunningRedis> => once(['redis'], async () => redis = await startRedis())

  return {
    async start(cell, keeping, preload) {
      const entry = await build(cell, keeping === 'cookie' ? cell.stores[0] : keeping)
      const { dir } = await install(cell.runtime)
      const server = await startOn(cell.runtime, dir, entry, cell.app.toEnv({
        mode: keeping === 'cookie' ? 'cookie' : 'storage',
        secret: TEST_SECRET,
        ...keeping === 'redis' && { redisUrl: (await startOwnRedis()).url },
      }), preload)
      servers.push(server)
      return server
    },
    async close() {
      // Whatever a server does, nothing is left behind.
      await Promise.allSettled(servers.splice(0).map(server => server.stop()))
      await redis?.stop()
      await Promise.all(apps.splice(0).map(app => app.remove()))
    },
  }
}

/** Does a thing once; whoever asks later gets the same, also the same failure. */
function createMemory(): <T>(key: string[], make: () => Promise<T>) => Promise<T> {
  const made = new Map<string, Promise<unknown>>()
  return <T>(key: string[], make: () => Promise<T>): Promise<T> => {
    const name = key.join(' ')
    const thing = made.get(name) as Promise<T> | undefined ?? make()
    made.set(name, thing)
    return thing
  }
}
