import type { RunningServer } from '../support/nitro'
import type { Cell } from './matrix'
import type { Keeping, Workshop } from './workshop'
import assert from 'node:assert/strict'
import { STORY, tellStoryOf } from '../support/apps'
import { createVisitor } from '../support/browser'
import { STORES } from './stores'

/** How many requests of a visitor run at once; none of them may lose an update. */
const PARALLEL = 20

/** Something that has to be true of a cell; it rejects when it is not. */
export interface Check {
  title: string
  run(workshop: Workshop): Promise<void>
}

/** All checks that one cell can pass by itself. */
export function checksOf(cell: Cell): Check[] {
  const keepings: Keeping[] = [...cell.stores, 'cookie']
  return keepings.map(keeping => ({
    title: toTitle(keeping),
    async run(workshop) {
      const server = await workshop.start(cell, keeping)
      try {
        assert.deepEqual(await tellStoryOf(server), STORY)
        if (keeping !== 'cookie')
          assert.deepEqual(await visitInParallel(server), { visits: PARALLEL, next: PARALLEL + 1 })
        if (cell.app.hasPage)
          assert.deepEqual(await readPages(server), { before: 'user: nobody', after: 'user: Ada' })
      }
      finally {
        await server.stop()
      }
    },
  }))
}

export function toTitle(keeping: Keeping): string {
  return keeping === 'cookie' ? 'cookie' : STORES[keeping].title
}

/** As many requests of one visitor at once; answers how many different counts they saw, and the next. */
async function visitInParallel(server: RunningServer): Promise<{ visits: number, next: number }> {
  const visitor = createVisitor(server.url)
  await visitor.post('/login')
  const visit = async (): Promise<number> => (await visitor.json<{ visits: number }>('/visits')).visits
  const counts = await Promise.all(Array.from({ length: PARALLEL }, visit))
  return { visits: new Set(counts).size, next: await visit() }
}

async function readPages(server: RunningServer): Promise<{ before?: string, after?: string }> {
  const visitor = createVisitor(server.url)
  const read = async (): Promise<string | undefined> => /<main>(.*)<\/main>/.exec(await (await visitor.fetch('/')).text())?.[1]
  const before = await read()
  await visitor.post('/login')
  return { before, after: await read() }
}
