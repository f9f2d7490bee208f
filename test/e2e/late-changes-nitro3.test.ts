import { describe } from 'vitest'
import { buildNitro3 } from '../support/nitro3'
import { itChangesAfterTheResponseBegan } from './support/late-changes'

describe('changes after the response began, in Nitro 3', () => {
  itChangesAfterTheResponseBegan(() => buildNitro3('nitro3'), [
    ['node-stream', 'done', { visits: 1, news: null, late: true }],
  ])
})
