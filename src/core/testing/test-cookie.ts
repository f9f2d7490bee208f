import type { TokenCodec } from '../cookie/token'
import { createRememberingCodec, createSealedPayloadCodec } from '../cookie/token'

/** The cookie by which a test brings a session along. */
export const TEST_COOKIE = 'unsession-test'

/** Seals a whole session into that cookie. */
export function createTestCodec(key: string): TokenCodec {
  return createRememberingCodec(createSealedPayloadCodec([key], TEST_COOKIE))
}
