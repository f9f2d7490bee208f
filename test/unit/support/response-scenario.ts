/** What a handler does to a response, and who asks for it: plain data, so that it can be sent to another process. */
export interface Scenario {
  protocol: 'http1' | 'http2'
  request: {
    method: 'GET' | 'HEAD' | 'POST'
    /** HTTP/1 only. */
    version: '1.0' | '1.1'
    connection?: 'close' | 'keep-alive'
    /** A second request on the same connection: in the same packet, or after the response. */
    second: 'nothing' | 'pipelined' | 'next'
  }
  /** Events of the response that are watched from the start. */
  watched: readonly string[]
  steps: readonly Step[]
  /** How long the held response waits, in milliseconds: not at all, once, or twice. */
  waits: readonly number[]
}

/** Who has the method that a step calls. */
export type Target = 'res' | 'req' | 'socket' | 'stream'

/** When a handler looks before it acts. */
export type Guard = 'writableEnded' | 'headersSent' | 'finished' | 'destroyed' | 'closed' | 'writableFinished'

export type Step =
  | { type: 'call', target: Target, method: string, args: readonly unknown[], unless?: Guard }
  | { type: 'assign', property: string, value: unknown }
  | { type: 'listen', method: 'on' | 'once' | 'prependListener', event: string, listener: Special }
  | { type: 'pipe', by: 'pipe' | 'pipeline', source: Source, end: boolean }
  | { type: 'pause', until: 'immediate' | 'closed' | number }
  | { type: 'client', does: 'leave' | 'reset' | 'half-close' }

export interface Source {
  from: 'array' | 'timers' | 'request'
  chunks: readonly unknown[]
  fails: boolean
}

/** A value that cannot be sent to another process, or that is too long to be read. */
export type Special =
  | { $: 'text', character: string, length: number }
  | { $: 'bytes', values: readonly number[] }
  | { $: 'function', reaction?: Step, throws?: boolean }
  | { $: 'error', message: string }
  | { $: 'map', entries: readonly (readonly [string, unknown])[] }
  | { $: 'symbol' }

export function isSpecial(value: unknown): value is Special {
  return typeof value === 'object' && value !== null && '$' in value
}

/** The steps as a handler would write them. */
export function toCode({ protocol, request, watched, steps, waits }: Scenario): string {
  const { method, version, connection, second } = request
  const asked = [method, protocol === 'http1' ? `HTTP/${version}` : 'HTTP/2', connection && `Connection: ${connection}`, second !== 'nothing' && `second request: ${second}`]
  return [
    `// ${asked.filter(Boolean).join(', ')}; watched: ${watched.join(' ')}; waits ${waits.join(' + ')} ms`,
    ...steps.map(stepToCode),
  ].join('\n')
}

export function stepToCode(step: Step): string {
  switch (step.type) {
    case 'call': return `${step.unless ? `res.${step.unless} || ` : ''}${step.target}.${step.method}(${step.args.map(valueToCode).join(', ')})`
    case 'assign': return `res.${step.property} = ${valueToCode(step.value)}`
    case 'listen': return `res.${step.method}('${step.event}', ${valueToCode(step.listener)})`
    case 'pipe': return sourceToCode(step)
    case 'pause': return `await ${typeof step.until === 'number' ? `sleep(${step.until})` : step.until}`
    case 'client': return `client.${step.does}`
  }
}

function sourceToCode({ by, source, end }: Extract<Step, { type: 'pipe' }>): string {
  const readable = source.from === 'request' ? 'req' : `${source.from}(${source.chunks.map(valueToCode).join(', ')}${source.fails ? ', throw' : ''})`
  return by === 'pipe' ? `${readable}.pipe(res${end ? '' : ', { end: false }'})` : `pipeline(${readable}, res)`
}

function valueToCode(value: unknown): string {
  if (!isSpecial(value))
    return value === undefined ? 'undefined' : Array.isArray(value) ? `[${value.map(valueToCode).join(', ')}]` : JSON.stringify(value)
  switch (value.$) {
    case 'text': return `'${value.character}'.repeat(${value.length})`
    case 'bytes': return `Buffer.from([${value.values.join(', ')}])`
    case 'function': return `() => ${value.throws ? 'throw' : value.reaction ? stepToCode(value.reaction) : 'log'}`
    case 'error': return `new Error('${value.message}')`
    case 'map': return `new Map(${JSON.stringify(value.entries)})`
    case 'symbol': return 'Symbol()'
  }
}
