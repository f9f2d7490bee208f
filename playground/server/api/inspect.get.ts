import type { Session } from 'unsession'
import { createHash } from 'node:crypto'

/** What `cookie.name: 'auto'` can stand for. */
const NAMES = ['__Host-session', '__Secure-session', 'session']

/** For this demo only: a real app shows neither its cookies nor its records. */
export default defineEventHandler(async (event) => {
  const session = await useSession(event)
  const { mode, cookie } = getSessionOptions(event)
  const cookieName = [cookie.name, ...NAMES].find(name => getCookie(event, name)) ?? cookie.name
  const token = getCookie(event, cookieName)
  return {
    mode,
    cookieName,
    parts: token ? splitToken(token) : [],
    secondsLeft: Math.ceil((session.expiresAt.getTime() - Date.now()) / 1000),
    ...(mode === 'storage' ? await readRecord(session) : readCookie(session)),
  }
})

async function readRecord({ id }: Session): Promise<{ key?: string, record: unknown }> {
  const key = createHash('sha256').update(id).digest('hex')
  return { key, record: await useStorage('session').getItem(key) }
}

function readCookie({ data, createdAt, expiresAt }: Session): { key?: string, record: unknown } {
  return { record: { data, createdAt, expiresAt } }
}
