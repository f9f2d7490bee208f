import type { RejectReason } from '../types'
import type { unseal, Unsealed } from './iron'
import type { OldSession, OldToken } from './migration'
import { getCrypto } from '../crypto/index'
import { Recent } from '../recent'

/** So many seals that no password opened are known again without trying. */
const REMEMBERED = 500

type Opening = ReturnType<typeof unseal>

/**
 * The session in what a seal held.
 *
 * @param hash of the seal, the same for every copy of it
 */
export type SealReader = (unsealed: Unsealed, hash: string) => OldSession | RejectReason

/**
 * Answers what opens a seal, or `undefined` for one that was refused a while ago. Those that come
 * at the same time are opened once.
 */
export function createSealOpener(unsealText: (seal: string) => Opening): (seal: string, read: SealReader) => OldToken['open'] | undefined {
  // By hash: a seal may be as long as a header.
  const refused = new Recent<true>(REMEMBERED)
  const opening = new Map<string, Opening>()
  const start = (hash: string, seal: string): Opening => {
    const result = unsealText(seal)
    const end = (): void => void opening.delete(hash)
    opening.set(hash, result)
    result.then((unsealed) => {
      end()
      if (unsealed === undefined)
        refused.set(hash, true)
    }, end)
    return result
  }
  return (seal, read) => {
    const hash = getCrypto().sha256(seal)
    return refused.get(hash) ? undefined : async () => {
      const unsealed = await (opening.get(hash) ?? start(hash, seal))
      // Not looked at: its visitor stays a stranger for now, and keeps the cookie for the next request.
      if (unsealed === 'busy')
        return undefined
      if (unsealed === undefined)
        return 'signature'
      return unsealed === 'corrupt' ? unsealed : read(unsealed, hash)
    }
  }
}
