import type { Row } from './support/response-kinds'
import { describe, expect } from 'vitest'
import { buildNitro3 } from '../support/nitro3'
import { BOTH, itAnswersEveryKind } from './support/response-kinds'

// What others set on `event.res.headers` is not sent by h3 v2 with errors, nor with what goes
// past it to the Node response.
const rows: Row[] = [
  { name: 'a returned object', path: '/kind/object', status: 200, body: '{"text":"the body"}' },
  { name: 'a returned string', path: '/kind/string', status: 200, body: 'the body' },
  { name: 'a returned number', path: '/kind/number', status: 200, body: '42' },
  { name: 'null', path: '/kind/null', status: 200, body: '' },
  { name: 'returned bytes', path: '/kind/bytes', status: 200, body: 'the body' },
  { name: 'a returned Blob', path: '/kind/blob', status: 200, body: 'the body', headers: { 'content-type': 'text/plain' } },
  { name: 'html', status: 200, body: '<b>the body</b>' },
  { name: 'redirect', status: 303, body: undefined, headers: { location: '/visits' } },
  { name: 'noContent', status: 204, body: '' },
  { name: 'a status of event.res', path: '/kind/status', status: 201, body: 'the body' },
  { name: 'iterable', status: 200, body: 'the body' },
  { name: 'a returned Node stream', path: '/kind/returned-node-stream', status: 200, body: 'the body' },
  { name: 'a returned ReadableStream', path: '/kind/returned-web-stream', status: 200, body: 'the body' },
  { name: 'server-sent events', path: '/kind/event-stream', status: 200, body: 'data: the body\n\n' },
  { name: 'HTTPResponse', status: 202, body: 'the body', others: [...BOTH, 'inner'], headers: { 'x-kept': 'yes' } },
  { name: 'a returned Response', path: '/kind/returned-Response', status: 200, body: 'the body', others: [...BOTH, 'inner'], headers: { 'x-kept': 'yes' } },
  { name: 'a returned Response of 4xx', path: '/kind/returned-4xx-Response', status: 418, body: 'the body', others: [] },
  { name: 'a returned Response of 5xx', path: '/kind/Response.error-page', status: 500, body: '{"text":"the body"}', others: [] },
  { name: 'Response.redirect', status: 303, body: '', headers: { location: expect.stringMatching(/\/visits$/) } },
  { name: 'a passed-through fetch', path: '/kind/fetched', status: 200, body: 'the body' },
  { name: 'a thrown HTTPError 4xx', path: '/kind/thrown-4xx', status: 418, body: undefined, others: [], headers: { 'x-kept': 'yes' } },
  { name: 'a thrown HTTPError 5xx', path: '/kind/thrown-5xx', status: 502, body: undefined, others: [] },
  { name: 'a thrown plain Error', path: '/kind/thrown-Error', status: 500, body: undefined, others: [] },
  { name: 'a thrown string', path: '/kind/thrown-string', status: 500, body: undefined, others: [] },
  { name: 'a returned error', path: '/kind/returned-error', status: 409, body: undefined, others: [] },
  { name: 'early hints', path: '/kind/early-hints', status: 200, body: 'the body' },
  { name: 'HEAD', path: '/kind/object', init: { method: 'HEAD' }, status: 200, body: '' },
  { name: '304', init: { headers: { 'if-none-match': '"tag"' } }, status: 304, body: '' },
  { name: 'direct res.end', path: '/kind/res.end', status: 200, body: 'the body', others: [] },
  { name: 'direct res.write', path: '/kind/res.write', status: 200, body: 'the body', others: [] },
  { name: 'res.writeHead with its own set-cookie', path: '/kind/res.writeHead', status: 201, body: 'the body', others: ['direct'] },
  { name: 'undefined', path: '/kind/nothing', status: 200, body: '' },
  { name: '404', path: '/missing', status: 404, body: undefined, others: [] },
]

describe('every response kind of h3 v2', () => {
  itAnswersEveryKind(rows, () => buildNitro3('nitro3'))
})
