import { describe } from 'vitest'
import { buildNitro } from '../support/nitro'
import { itChangesAfterTheResponseBegan } from './support/late-changes'

const existing = { visits: 1, news: null }

describe('changes after the response began, in Nitro 2', () => {
  itChangesAfterTheResponseBegan(() => buildNitro('nitro'), [
    ['local?how=stream', 'done', { ...existing, late: true }],
    ['local?how=stream-unsaved', 'done', { ...existing, late: true }],
    ['local?how=stream-destroy', 'done', { news: null }],
    ['local?how=stream-login', 'COOKIE_ERROR', existing],
  ])
})
