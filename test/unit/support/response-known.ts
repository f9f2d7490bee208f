import type { KnownDifference } from './response-comparison'
import type { Entry, Observation } from './response-log'
import type { Scenario, Step } from './response-scenario'

/** In what a held response may differ from a plain one. */
export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    reason: 'Of a held response, a client that leaves early has read nothing yet; how much of a plain one is chance.',
    without: (seen, { steps }) => steps.some(({ type }) => type === 'client') ? { ...seen, client: [] } : seen,
  },
  {
    reason: 'A connection closes, and a stream of HTTP/2 has ended, when what waited has left: what tells of that comes after the wait.',
    without: (seen, scenario) => mayClose(scenario) ? withoutClosing(seen, scenario) : seen,
  },
  {
    reason: 'What nghttp2 has not sent of a stream that is destroyed is lost; how much that is depends on turns of its own.',
    without: (seen, scenario) => mayDestroy(scenario) ? { ...seen, client: [] } : seen,
  },
  {
    reason: 'Whether Node calls back while it destroys a stream depends on what nghttp2 has taken by then.',
    without: (seen, { protocol, steps }) => protocol === 'http2' && /"destroy"/.test(JSON.stringify(steps)) && steps.some(hasReaction) ? { ...seen, log: [] } : seen,
  },
  {
    reason: 'Trailers are asked for when the body has been sent: those that are added behind the end are still in time.',
    without: (seen, { protocol, steps }) => protocol === 'http2' && steps.some(step => step.type === 'call' && step.method === 'addTrailers') ? { ...seen, client: seen.client.filter(line => !line.startsWith('trailers')) } : seen,
  },
  {
    reason: 'How many turns nghttp2 takes to accept many bytes is its own affair, and so is what `write` says meanwhile.',
    without: (seen, { protocol }) => protocol === 'http2' ? { ...seen, log: seen.log.map(entry => /\bwrite\(/.test(entry.name) && /^(?:true|false)$/.test(entry.with ?? '') ? { ...entry, with: 'boolean' } : entry) } : seen,
  },
  {
    reason: 'Whoever waits is idle: an idle timeout that is shorter than the wait runs out.',
    without: (seen, scenario) => hasShortTimeout(scenario) ? { log: [], request: [], second: [], client: [] } : seen,
  },
  {
    reason: 'Cookies that were set before stay beside those that are given to `writeHead`, in a longer head; Node drops them.',
    without: (seen, { steps }) => steps.some(setsCookies) ? { ...seen, log: seen.log.map(withoutLength), client: seen.client.map(withoutCookies).filter(line => line !== '').sort() } : seen,
  },
  {
    reason: 'Of what a closing connection still had to send, the kernel drops what it likes.',
    without: (seen, scenario) => mayClose(scenario) && isBig(scenario) ? { ...seen, client: [] } : seen,
  },
]

/** True where Node ends the connection, or the stream, with the response. */
function mayClose({ protocol, request, steps }: Scenario): boolean {
  return protocol === 'http2' || request.version === '1.0' || request.connection === 'close' || steps.some(closes)
}

function closes(step: Step): boolean {
  switch (step.type) {
    case 'client': return true
    case 'pause': return step.until === 'closed'
    case 'pipe': return step.source.fails || step.by === 'pipeline'
    case 'assign': return step.property === 'shouldKeepAlive'
    case 'call': return ['destroy', 'destroySoon', 'close'].includes(step.method) || step.target !== 'res' || /"destroy"|"connection"|"trailer"|"transfer-encoding"|"content-length"|"Content-Length"|"keep-alive"|"throws":true/.test(JSON.stringify(step.args))
    case 'listen': return JSON.stringify(step.listener).includes('"destroy"')
  }
}

/** True where a stream of HTTP/2 may be destroyed: by name, or because something is written behind its end. */
function mayDestroy({ protocol, steps }: Scenario): boolean {
  const first = steps.findIndex(step => step.type === 'pipe' || (step.type === 'call' && step.method === 'end'))
  const writesLater = first >= 0 && steps.slice(first + 1).some(step => step.type === 'pipe' || (step.type === 'call' && ['write', 'end'].includes(step.method)))
  return protocol === 'http2' && (writesLater || /"reaction"|"throws":true|"destroy"|"close"|"fails":true|"from":"request"|"trailer"|"socket"|"stream"/.test(JSON.stringify(steps)))
}

const CLOSING_STEP = /^(?:stream|socket|client)\.|^pipeline\(|\.(?:pipe|destroy)\(/
const CLOSING_EVENT = /^(?:close|finish|aborted|end|unpipe|source error|never ends)\b/
const CLOSING_STATE = new Set(['closed', 'destroyed', 'socket', 'listeners', 'writableFinished', 'writableLength', 'writableNeedDrain', 'writableCorked', 'errored', 'ownProperties'])

/** Whatever tells nothing of the connection; where turns pass, only up to what may close it. */
function withoutClosing({ log, client }: Observation, scenario: Scenario): Observation {
  const { protocol, steps } = scenario
  const last = log.findIndex(({ name, state }) => CLOSING_STEP.test(name) || state?.[isAnsweredByHead(scenario) ? 'headersSent' : 'writableEnded'] === true || state?.destroyed === true)
  const relevant = last < 0 || !isLater(steps) ? log : log.slice(0, last + 1)
  const entries = relevant.filter(({ kind, name }) => kind === 'step' || (protocol === 'http1' && !CLOSING_EVENT.test(name)))
  return { log: entries.map(withoutClosingState), request: [], second: [], client }
}

/** True where the end of the response may come with its head; a client of HTTP/2 resets a stream whose `Content-Length` is wrong. */
function isAnsweredByHead({ protocol, request, steps }: Scenario): boolean {
  return protocol === 'http1' || /content-length/i.test(JSON.stringify(steps)) || request.method === 'HEAD' || /204|304/.test(JSON.stringify(steps)) || steps.some(({ type }) => type === 'pipe')
}

function withoutClosingState({ state = {}, ...entry }: Entry): Entry {
  return { ...entry, state: Object.fromEntries(Object.entries(state).filter(([name]) => !CLOSING_STATE.has(name))) }
}

/** True when something may be done in a later turn. */
function isLater(steps: readonly Step[]): boolean {
  return steps.some(step => step.type !== 'call' || JSON.stringify(step.args).includes('"function"'))
}

function hasShortTimeout({ steps }: Scenario): boolean {
  return steps.some(step => step.type === 'call' && step.method === 'setTimeout' && step.args[0] === 15)
}

/** True for a head with cookies of its own. */
function setsCookies(step: Step): boolean {
  return step.type === 'call' && step.method === 'writeHead' && /set-cookie/i.test(JSON.stringify(step.args))
}

function withoutLength({ state = {}, ...entry }: Entry): Entry {
  return { ...entry, state: Object.fromEntries(Object.entries(state).filter(([name]) => name !== 'writableLength')) }
}

function withoutCookies(line: string): string {
  return /^set-cookie:/i.test(line) ? '' : line.replace(/,?\["set-cookie",(?:\[[^\]]*\]|"[^"]*")\]/i, '')
}

/** True for a callback that does something to the response. */
function hasReaction(step: Step): boolean {
  return JSON.stringify(step).includes('"reaction"')
}

function isBig({ steps }: Scenario): boolean {
  return JSON.stringify(steps).includes('300000')
}
