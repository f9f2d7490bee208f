import type { RunningServer } from '../support/nitro'
import type { Cell } from './matrix'
import type { Keeping, Workshop } from './workshop'
import { createVisitor } from '../support/browser'
import { nameOf } from './matrix'

/** A server that would not know a visitor of another. */
export interface Refusal {
  from: Cell
  to: Cell
  problem: string
}

/** The cells that can share their visitors: all in cookie mode, those on one Redis in storage mode. */
export function companionsOf(cells: readonly Cell[], keeping: Keeping): Cell[] {
  return cells.filter(({ stores }) => keeping === 'cookie' || stores.includes(keeping))
}

/**
 * Signs a visitor in at every cell and sends them to every other; then one visitor goes from
 * cell to cell and back, and is counted at each.
 */
export async function travel(workshop: Workshop, cells: readonly Cell[], keeping: Keeping): Promise<Refusal[]> {
  const stops: Stop[] = []
  try {
    for (const cell of cells)
      stops.push({ cell, server: await workshop.start(cell, keeping) })
    return [...await visitEachOther(stops), ...await walkThereAndBack(stops)]
  }
  finally {
    await Promise.all(stops.map(({ server }) => server.stop()))
  }
}

export function toText({ from, to, problem }: Refusal): string {
  return `${nameOf(to)}, for a visitor of ${nameOf(from)}: ${problem}`
}

interface Stop {
  cell: Cell
  server: RunningServer
}

async function visitEachOther(stops: readonly Stop[]): Promise<Refusal[]> {
  const refusals: Refusal[] = []
  for (const home of stops) {
    const traveller = createVisitor(home.server.url)
    await traveller.post('/login')
    for (const away of stops) {
      const { user } = await createVisitor(away.server.url, new Map(traveller.cookies)).json<{ user: unknown }>('/me')
      if (user !== 'Ada')
        refusals.push({ from: home.cell, to: away.cell, problem: `the user is ${JSON.stringify(user)}` })
    }
  }
  return refusals
}

async function walkThereAndBack(stops: readonly Stop[]): Promise<Refusal[]> {
  const refusals: Refusal[] = []
  const cookies = new Map<string, string>()
  const walk = [...stops, ...stops.toReversed()]
  for (const [index, { cell, server }] of walk.entries()) {
    const { visits } = await createVisitor(server.url, cookies).json<{ visits: unknown }>('/visits')
    if (visits !== index + 1)
      refusals.push({ from: walk[Math.max(index - 1, 0)]!.cell, to: cell, problem: `visit ${index + 1} is counted as ${JSON.stringify(visits)}` })
  }
  return refusals
}
