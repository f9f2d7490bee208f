import { describe } from 'vitest'
import { buildNitro } from '../support/nitro'
import { itKeepsPersonalResponsesOutOfSharedCaches } from './support/shared-caches'

describe('responses that are marked for shared caches, in Nitro 2', () => {
  itKeepsPersonalResponsesOutOfSharedCaches(() => buildNitro('nitro'))
})
