import type { RegenerateOptions, Session, SessionLifetime } from '../../../../src/core/types'
import type { Effect } from './expected'
import * as fc from 'fast-check'
import { DATA_KEYS, emptied, KEYS } from './expected'

/** One call of the handle. */
export interface Operation {
  name: keyof typeof ACTIONS
  /** What is changed. */
  key: string
  /** For `regenerate`. */
  options: RegenerateOptions
  /** For `regenerate`: false for one without a patch. */
  hasPatch: boolean
  /** For `setLifetime`. */
  lifetime: SessionLifetime
}

/** What an operation is made with. */
interface Given {
  key: string
  /** No two operations give the same value, so that each value tells where it comes from. */
  value: string
  options: RegenerateOptions
  hasPatch: boolean
  lifetime: SessionLifetime
  /** Is shown what the function of an update is given. */
  look: (data: Readonly<Record<string, unknown>>) => void
}

/** How a method of the handle is called, and what that changes. */
interface Action {
  weight: number
  run(session: Session, given: Given): unknown
  /** What it does to data and messages when it succeeds. */
  effects(given: Given): Effect[]
}

/** What an update fails with that throws. */
export class Thrown extends Error {}

/** Every operation of the walk. To add one, add its method here; what it may throw is in `rules/errors.ts`. */
export const ACTIONS = {
  set: action(6, (session, { key, value }) => session.set(key, value), ({ key, value }) => [['data', key, value]]),
  setTooBig: action(1, (session, { key, value }) => session.set(key, value), () => []),
  delete: action(2, (session, { key }) => session.delete(key), ({ key }) => [['data', key, undefined]]),
  clear: action(1, session => session.clear(), () => emptied(KEYS)),
  flash: action(3, (session, { key, value }) => session.flash(key, value), ({ key, value }) => [['flash', key, value]]),
  readFlash: action(3, (session, { key }) => session.flash(key), ({ key }) => [['flash', key, undefined]]),
  setLifetime: action(2, (session, { lifetime }) => session.setLifetime(lifetime), () => []),
  read: action(3, (session, { key }) => [session.id, session.data, session.get(key), session.has(key), session.isNew, session.createdAt, session.expiresAt], () => []),
  update: action(4, (session, { key, value }) => session.update({ [key]: value }), ({ key, value }) => [['data', key, value]]),
  updateByFunction: action(3, (session, { key, value, look }) => session.update((data) => {
    look(data)
    return { [key]: value }
  }), ({ key, value }) => [['data', key, value]]),
  updateAway: action(1, (session, { key }) => session.update({ [key]: undefined }), ({ key }) => [['data', key, undefined]]),
  updateTooBig: action(1, (session, { key, value }) => session.update(() => ({ [key]: value })), () => []),
  updateThrowing: action(1, session => session.update(() => {
    throw new Thrown('The function throws.')
  }), () => []),
  regenerate: action(4, (session, { key, value, options, hasPatch }) => session.regenerate(hasPatch ? { [key]: value } : undefined, options), ({ key, value, options: { keep = true }, hasPatch }) => [
    ...keep === true ? [] : emptied(keep === false ? KEYS : DATA_KEYS.filter(([, one]) => !(keep as readonly string[]).includes(one))),
    ...hasPatch ? [['data', key, value] as const] : [],
  ]),
  regenerateTooBig: action(1, (session, { key, value, options }) => session.regenerate({ [key]: value }, options), () => []),
  destroy: action(2, session => session.destroy(), () => emptied(KEYS)),
  reload: action(2, session => session.reload(), () => []),
  save: action(3, session => session.save(), () => []),
}

function action(weight: number, run: Action['run'], effects: Action['effects']): Action {
  return { weight, run, effects }
}

export const operations: fc.Arbitrary<Operation> = fc.record({
  name: fc.oneof(...Object.entries(ACTIONS).map(([name, { weight }]) => ({ weight, arbitrary: fc.constant(name as Operation['name']) }))),
  key: fc.constantFrom('a', 'b', 'user'),
  options: fc.record({
    keep: fc.constantFrom(true, true, false, ['a'], []),
    lifetime: fc.constantFrom('new' as const, 'same' as const),
  }),
  hasPatch: fc.boolean(),
  lifetime: fc.constantFrom<SessionLifetime>({ maxAge: 200 }, { maxAge: 100, persistent: false }, { idleTimeout: 30 }, { persistent: true }),
})

export function describe({ name, key, options, hasPatch, lifetime }: Operation): string {
  switch (name) {
    case 'regenerate': return `regenerate(${hasPatch ? key : ''}, ${JSON.stringify(options)})`
    case 'setLifetime': return `setLifetime(${JSON.stringify(lifetime)})`
    case 'clear':
    case 'destroy':
    case 'reload':
    case 'save':
    case 'updateThrowing':
      return `${name}()`
    default: return `${name}(${key})`
  }
}
