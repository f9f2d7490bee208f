import type { Guard, Scenario, Source, Special, Step, Target } from './response-scenario'
import * as fc from 'fast-check'

type Weighted<T> = readonly [weight: number, arbitrary: fc.Arbitrary<T>]

const oneOf = <T>(...options: Weighted<T>[]): fc.Arbitrary<T> => fc.oneof(...options.map(([weight, arbitrary]) => ({ weight, arbitrary })))
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(arbitrary, { maxLength: 1 })

const special = (value: Special): Special => value
const text = (character: string, length: number): Special => special({ $: 'text', character, length })

const goodChunk: fc.Arbitrary<unknown> = oneOf<unknown>(
  [6, fc.constantFrom('a', 'bc', 'grüße', '0a0b')],
  [2, fc.constantFrom(special({ $: 'bytes', values: [1, 2, 255] }), text('m', 5000))],
  [1, fc.constantFrom('', special({ $: 'bytes', values: [] }))],
  [1, fc.constantFrom(text('l', 20_000), text('L', 70_000), text('X', 300_000))],
)
/** Nothing else is hexadecimal: Node aborts the process for half a byte. */
const encoded = fc.tuple(fc.constantFrom<unknown>('0a0b', 'c0ff'), fc.constantFrom<unknown>('hex', 'base64', 'latin1', 'nope'))
const chunk = oneOf<unknown>([12, goodChunk], [1, fc.constantFrom<unknown>(null, undefined, 5, {}, true)])
/** Not `base64`, which makes nothing of a single character: see {@link withoutEmptyChunks}. */
const encoding = fc.constantFrom<unknown>('utf8', 'latin1', 'utf16le', undefined, null)

const headerName = oneOf<unknown>(
  [8, fc.constantFrom('x-a', 'X-B', 'content-type', 'Set-Cookie', 'vary', 'etag')],
  [3, fc.constantFrom('connection', 'Date', 'transfer-encoding', 'trailer', 'keep-alive')],
  [1, fc.constantFrom<unknown>('bad name', '', undefined, ':status', 'host')],
)
const headerValue = oneOf<unknown>(
  [8, fc.constantFrom<unknown>('one', 'two', 7, ['a=1', 'b=2'], 'é')],
  [2, fc.constantFrom<unknown>('close', 'keep-alive', 'chunked', '')],
  [1, fc.constantFrom<unknown>('a\nb', undefined, null, '☃', special({ $: 'symbol' }))],
)
const contentLength = fc.tuple(fc.constantFrom('content-length', 'Content-Length'), fc.constantFrom<unknown>(0, 1, '2', 3, 10, 'x'))
const headerPair = oneOf<[unknown, unknown]>([9, fc.tuple(headerName, headerValue)], [1, contentLength])
const goodPair = fc.tuple(fc.constantFrom('x-a', 'X-C', 'content-type', 'set-cookie', 'date'), fc.constantFrom<unknown>('one', ['c=3', 'd=4'], 9))
const somePairs = oneOf([3, fc.array(goodPair, { maxLength: 3 })], [1, fc.array(headerPair, { maxLength: 3 })])

const headers: fc.Arbitrary<unknown> = oneOf<unknown>(
  [3, somePairs.map(pairs => Object.fromEntries(pairs.map(([name, value]) => [String(name), value])))],
  [1, somePairs],
  [1, somePairs.map(pairs => pairs.flat())],
  [1, fc.constantFrom<unknown>(undefined, null, ['x-a'], 'x')],
)
const headersMap = somePairs.map(pairs => special({ $: 'map', entries: pairs.map(([name, value]) => [String(name), value] as const) }))

const status = oneOf<unknown>(
  [5, fc.constantFrom(200, 201, 404, 500)],
  [3, fc.constantFrom(204, 304, 302)],
  [1, fc.constantFrom<unknown>(99, 1000, '201', 'x', undefined, 101, 103)],
)
const statusMessage = oneOf<unknown>([4, fc.constantFrom('Fine', '')], [1, fc.constantFrom<unknown>('a\nb', undefined)])

const call = (method: string, args: fc.Arbitrary<readonly unknown[]> = fc.constant([]), target: Target = 'res'): fc.Arbitrary<Step> => args.map(args => ({ type: 'call', target, method, args }))

/** What a callback or a listener may do beside being called. */
const reaction: fc.Arbitrary<Step> = oneOf<Step>(
  [3, fc.constantFrom<Step>({ type: 'call', target: 'res', method: 'end', args: ['z'] }, { type: 'call', target: 'res', method: 'end', args: [] })],
  [2, call('write', fc.constant(['y']))],
  [1, call('destroy')],
  [1, call('setHeader', fc.constant(['x-z', '1']))],
)
const listener: fc.Arbitrary<Special> = oneOf<Special>(
  [10, fc.constant(special({ $: 'function' }))],
  [2, reaction.map(reaction => special({ $: 'function', reaction }))],
  [1, fc.constant(special({ $: 'function', throws: true }))],
)

const tuple = (...parts: fc.Arbitrary<unknown[]>[]): fc.Arbitrary<unknown[]> => fc.tuple(...parts).map(parts => parts.flat())
const one = (arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<unknown[]> => arbitrary.map(value => [value])

const encodedChunk = oneOf<unknown[]>([6, one(chunk)], [1, encoded], [1, tuple(one(chunk), one(encoding))])
const writeArguments = tuple(encodedChunk, oneOf([2, fc.constant([])], [1, one(listener)]))
const endArguments = oneOf<unknown[]>([2, fc.constant([])], [3, writeArguments], [1, one(listener)])

const write = call('write', writeArguments)
const end = call('end', endArguments)

const head = oneOf<Step>(
  [3, call('writeHead', tuple(one(status), maybe(statusMessage), maybe(headers)))],
  [1, call('flushHeaders')],
  [1, call('writeHead', tuple(one(status), one(headers)))],
)
const headerChange = oneOf<Step>(
  [4, call('setHeader', headerPair)],
  [1, call('appendHeader', headerPair)],
  [1, call('removeHeader', headerName.map(name => [name]))],
  [1, call('setHeaders', headersMap.map(map => [map]))],
  [1, fc.record({ type: fc.constant('assign' as const), property: fc.constant('statusCode'), value: status })],
  [1, fc.constantFrom<Step>(...([['statusMessage', 'Own'], ['sendDate', false], ['strictContentLength', true], ['shouldKeepAlive', false]] as const).map(([property, value]) => ({ type: 'assign', property, value }) as const))],
)
const interim = oneOf<Step>(
  [2, call('writeEarlyHints', tuple(one(fc.constantFrom<unknown>({ 'link': '</a.css>; rel=preload', 'x-hint': '1' }, { link: ['</a>; rel=preload', '</b>; rel=preload'] }, {}, { link: 'bad' })), maybe(listener)))],
  [1, call('writeContinue', maybe(listener))],
  [1, call('writeProcessing', maybe(listener))],
)
const EVENTS = ['finish', 'close', 'drain', 'error', 'prefinish', 'pipe', 'unpipe', 'timeout'] as const

const other = oneOf<Step>(
  [1, call('cork')],
  [2, call('uncork')],
  [2, call('addTrailers', one(fc.constantFrom<unknown>({ 'x-trailer': '1' }, [['x-trailer', '2']], {}, { 'bad name': '1' })))],
  [2, call('setTimeout', tuple(one(fc.constantFrom<unknown>(10_000, 15, 0, 'x')), maybe(listener)))],
  [4, fc.record({ type: fc.constant('listen' as const), method: fc.constantFrom('on', 'once', 'prependListener'), event: fc.constantFrom(...EVENTS), listener })],
  [1, call('removeAllListeners', fc.constantFrom('drain', 'error', 'pipe', 'timeout').map(event => [event]))],
)
const ending = oneOf<Step>(
  [3, call('destroy', maybe(fc.constant(special({ $: 'error', message: 'destroyed' }))))],
  [1, call('destroy', fc.constant([]), 'req')],
  [1, fc.constantFrom<[string, Target]>(['destroy', 'socket'], ['end', 'socket'], ['destroySoon', 'socket'], ['destroy', 'stream'], ['close', 'stream'], ['end', 'stream']).chain(([method, target]) => call(method, fc.constant([]), target))],
  [2, fc.constantFrom<Step>({ type: 'client', does: 'leave' }, { type: 'client', does: 'reset' }, { type: 'client', does: 'half-close' })],
)
const GUARDS: Guard[] = ['writableEnded', 'headersSent', 'finished', 'destroyed', 'closed', 'writableFinished']
const guarded = fc.tuple(oneOf<Step>([3, end], [1, write], [1, head]), fc.constantFrom(...GUARDS)).map(([step, unless]): Step => ({ ...step as Extract<Step, { type: 'call' }>, unless }))

const source: fc.Arbitrary<Source> = fc.record({ from: fc.constantFrom('array', 'timers', 'request'), chunks: fc.array(goodChunk, { maxLength: 4 }), fails: oneOf([5, fc.constant(false)], [1, fc.constant(true)]) })
const pipe = fc.record({ type: fc.constant('pipe' as const), by: fc.constantFrom('pipe', 'pipe', 'pipeline'), source, end: oneOf([3, fc.constant(true)], [1, fc.constant(false)]) })

const pause = fc.constantFrom('immediate', 'immediate', 'closed', 1, 3, 30).map((until): Step => ({ type: 'pause', until } as Step))

const step = oneOf<Step>([8, write], [6, end], [5, head], [7, headerChange], [2, interim], [5, other], [1, ending], [3, guarded], [2, pipe], [6, pause])

/** Of empty chunks on HTTP/2 Node sends what happens to be in memory, or aborts the process. */
function withoutEmptyChunks(scenario: Scenario): Scenario {
  if (scenario.protocol === 'http1')
    return scenario
  const steps = JSON.stringify(scenario.steps).replaceAll('{"$":"bytes","values":[]}', '"e"').replaceAll('"args":[""', '"args":["e"').replaceAll(/"chunks":\[[^\]]*\]/g, chunks => chunks.replaceAll('""', '"e"'))
  return { ...scenario, steps: JSON.parse(steps) as Step[] }
}

/** When something is written to a stream of HTTP/2 that was ended and then closed, Node (20, 22 and 24) sends until the process has no memory left. */
function withoutWritesBehindClose(scenario: Scenario): Scenario {
  const { protocol, steps } = scenario
  const close = steps.findIndex(step => step.type === 'call' && step.target === 'stream' && step.method === 'close')
  if (protocol === 'http1' || close < 0)
    return scenario
  const isLater = (step: Step): boolean => step.type === 'pipe' || JSON.stringify(step).includes('"reaction"')
  const writes = (step: Step): boolean => step.type === 'call' && ['write', 'end'].includes(step.method)
  return { ...scenario, steps: steps.filter((step, index) => !isLater(step) && (index <= close || !writes(step))) }
}

/** A random handler and the request that it answers. */
export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  protocol: fc.constantFrom('http1', 'http1', 'http2'),
  request: fc.record({
    method: fc.constantFrom('GET', 'GET', 'POST', 'HEAD'),
    version: fc.constantFrom('1.1', '1.1', '1.1', '1.0'),
    connection: fc.constantFrom(undefined, undefined, 'close', 'keep-alive'),
    second: fc.constantFrom('nothing', 'pipelined', 'next'),
  }),
  watched: fc.subarray([...EVENTS]),
  steps: fc.tuple(fc.array(step, { maxLength: 10, size: 'max' }), maybe(end)).map(steps => steps.flat()),
  waits: fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 0, maxLength: 2, size: 'max' }),
}).map(scenario => withoutWritesBehindClose(withoutEmptyChunks(scenario as Scenario)))
