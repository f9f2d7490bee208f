import type { Row } from './support/response-kinds'
import { describe } from 'vitest'
import { buildNitro } from '../support/nitro'
import { BOTH, itAnswersEveryKind } from './support/response-kinds'

const rows: Row[] = [
  { name: 'a returned object', path: '/kind/object', status: 200, body: '{"text":"the body"}' },
  { name: 'a returned string', path: '/kind/string', status: 200, body: 'the body' },
  { name: 'null (204)', path: '/kind/null', status: 204, body: '' },
  { name: 'sendRedirect', status: 303, body: undefined, headers: { location: '/visits' } },
  { name: 'send', status: 200, body: 'the body' },
  { name: 'sendNoContent', status: 204, body: '' },
  { name: 'sendStream with a Node stream', path: '/kind/sendStream-node', status: 200, body: 'the body' },
  { name: 'sendStream with a web stream', path: '/kind/sendStream-web', status: 200, body: 'the body' },
  { name: 'a returned Node stream', path: '/kind/returned-node-stream', status: 200, body: 'the body' },
  { name: 'a returned ReadableStream', path: '/kind/returned-web-stream', status: 200, body: 'the body' },
  { name: 'server-sent events', path: '/kind/event-stream', status: 200, body: 'data: the body\n\n' },
  { name: 'a returned Response', path: '/kind/returned-Response', status: 200, body: 'the body', others: [...BOTH, 'inner'], headers: { 'x-kept': 'yes' } },
  { name: 'Response.redirect', status: 303, body: '' },
  { name: 'respondWith', status: 200, body: 'the body' },
  { name: 'a thrown createError 4xx', path: '/kind/thrown-4xx', status: 418, body: undefined },
  { name: 'a thrown createError 5xx', path: '/kind/thrown-5xx', status: 502, body: undefined },
  { name: 'a thrown plain Error', path: '/kind/thrown-Error', status: 500, body: undefined },
  { name: 'a returned error', path: '/kind/returned-error', status: 409, body: undefined },
  { name: 'HEAD', path: '/kind/object', init: { method: 'HEAD' }, status: 200, body: '' },
  { name: '304', init: { headers: { 'if-none-match': '"tag"' } }, status: 304, body: '' },
  { name: 'direct res.end', path: '/kind/res.end', status: 200, body: 'the body' },
  { name: 'direct res.write', path: '/kind/res.write', status: 200, body: 'the body' },
  { name: 'res.writeHead with its own set-cookie', path: '/kind/res.writeHead', status: 201, body: 'the body', others: [...BOTH, 'direct'] },
  { name: '404', path: '/missing', status: 404, body: undefined, others: [] },
]

describe('every response kind of h3 v1', () => {
  itAnswersEveryKind(rows, () => buildNitro('nitro'))
})
