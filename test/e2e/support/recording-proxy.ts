import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'

/** All that a server sent to answer one request. */
export interface Answer {
  path: string
  status: number
  /** As they came, also twice. */
  headers: [name: string, value: string][]
  body: Buffer
}

export interface RecordingProxy {
  url: string
  close(): Promise<void>
}

/**
 * Stands between one visitor and a server; whoever the program of the visitor is, every byte is seen.
 *
 * @param lose hears of requests that the server left without an answer
 */
export async function startRecordingProxy(origin: string, record: (answer: Answer) => void, lose: (path: string, error: Error) => void): Promise<RecordingProxy> {
  // A connection for each request: one that is kept may be closed by the server as it is used again.
  const agent = new Agent({ keepAlive: false })
  const proxy = createServer((near, response) => {
    const { host, port } = new URL(origin)
    // Compressed bytes cannot be searched.
    const headers = { ...near.headers, 'accept-encoding': 'identity' }
    const far = request({ agent, host: host.split(':')[0], port, method: near.method, path: near.url, headers }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', chunk => chunks.push(chunk))
      // Also of an answer that was cut off: what came before, came.
      answer.once('close', () => record({ path: near.url!, status: answer.statusCode!, headers: pairsOf(answer), body: Buffer.concat(chunks) }))
      response.writeHead(answer.statusCode!, answer.statusMessage, answer.rawHeaders)
      answer.pipe(response)
    })
    const end = (): void => {
      far.destroy()
      response.destroy()
    }
    far.on('error', (error) => {
      // Not of what the visitor gave up.
      if (!response.destroyed)
        lose(near.url!, error)
      end()
    })
    response.on('close', end)
    near.pipe(far)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    async close() {
      proxy.closeAllConnections()
      agent.destroy()
      await new Promise(resolve => proxy.close(resolve))
    },
  }
}

function pairsOf({ rawHeaders }: IncomingMessage): [string, string][] {
  return rawHeaders.flatMap((name, index) => index % 2 === 0 ? [[name, rawHeaders[index + 1]!] as [string, string]] : [])
}
