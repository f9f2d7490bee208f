import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/** A way to Redis that breaks now and then: after a command was carried out, before its answer arrives. */
export interface LossyLink {
  url: string
  /** How many answers were lost. */
  losses(): number
  close(): void
}

/** Loses every so-manieth piece of what Redis answers, and the connection with it. */
export async function startLossyLink(port: number, interval: number): Promise<LossyLink> {
  const open = new Set<() => void>()
  let answers = 0
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    const cut = (): void => {
      near.destroy()
      far.destroy()
      open.delete(cut)
    }
    open.add(cut)
    near.on('error', cut).on('close', cut).pipe(far)
    far.on('error', cut).on('close', cut).on('data', chunk => ++answers % interval === 0 ? cut() : near.write(chunk))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    losses: () => Math.floor(answers / interval),
    close() {
      server.close()
      for (const cut of open)
        cut()
    },
  }
}
