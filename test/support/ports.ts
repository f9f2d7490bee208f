import { once } from 'node:events'
import { createServer } from 'node:net'

/** No system takes these for connections and for servers that listen on port 0. */
const FIRST = 10_000
const LAST = 29_999

/** A port of 127.0.0.1 that nobody listens on, and that nobody is given who does not ask for it by number. */
export async function freePort(): Promise<number> {
  while (true) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1))
    const server = createServer().listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
    }
    catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE')
        throw error
      continue
    }
    server.close()
    await once(server, 'close')
    return port
  }
}
