import { describe } from 'vitest'
import { buildNitro3 } from '../support/nitro3'
import { itKeepsPersonalResponsesOutOfSharedCaches } from './support/shared-caches'

describe('responses that are marked for shared caches, in Nitro 3', () => {
  itKeepsPersonalResponsesOutOfSharedCaches(() => buildNitro3('nitro3'))
})
