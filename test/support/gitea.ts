import type { AddressInfo } from 'node:net'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'

/** Credentials of the app at the provider. */
export const GITEA_CLIENT = { id: 'the app', secret: 'its secret at the provider' }

/**
 * A provider that speaks the OAuth of Gitea: whoever comes is signed in there as grace, and allows
 * everything. A code is good once, and a token for the code's app only.
 */
export async function startGitea(): Promise<{ url: string, stop(): void }> {
  const codes = new Map<string, string>()
  const tokens = new Set<string>()
  const server = createServer(async (req, res) => {
    const { pathname, searchParams } = new URL(req.url!, 'http://provider')
    const answer = (status: number, body: object): void => void res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (pathname === '/login/oauth/authorize') {
      const target = new URL(searchParams.get('redirect_uri')!)
      const code = randomUUID()
      codes.set(code, target.href)
      target.searchParams.set('code', code)
      target.searchParams.set('state', searchParams.get('state')!)
      return void res.writeHead(302, { location: target.href }).end()
    }
    if (pathname === '/login/oauth/access_token') {
      const body = new URLSearchParams((await req.toArray()).join(''))
      const isRight = body.get('client_id') === GITEA_CLIENT.id && body.get('client_secret') === GITEA_CLIENT.secret
      const target = codes.get(body.get('code')!)
      codes.delete(body.get('code')!)
      if (!isRight || target !== body.get('redirect_uri'))
        return answer(401, { error: 'invalid_grant' })
      const token = randomUUID()
      tokens.add(token)
      return answer(200, { access_token: token, token_type: 'bearer' })
    }
    if (pathname === '/api/v1/user' && tokens.has(req.headers.authorization?.replace('token ', '') ?? ''))
      return answer(200, { id: 2, login: 'grace' })
    answer(404, {})
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}
