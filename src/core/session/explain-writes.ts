import type { DataName, DataPath, Guard } from '../calls/hand-out'
import { called, type Entry } from '../calls/caller'
import { SessionError } from '../errors'
import { guardWith } from '../calls/hand-out'
import { lineToWrite, type Write } from './line-to-write'
import { SessionHandle } from './handle'
import { isPlainObject, setOwn } from '../record/value'

type Trap<K extends keyof ProxyHandler<object>> = Required<ProxyHandler<object>>[K]

let isExplaining = false

/**
 * From now on an attempt to change data in place, or a handle, throws an error that shows the line
 * to write. The proxies that it takes are for development.
 */
export function explainWrites(): void {
  if (isExplaining)
    return
  isExplaining = true
  guardWith(createGuard(originalsByGuard()))
  refuseOtherKeys(SessionHandle.prototype)
}

/** What a handle does not have is looked for further up, and written from there. */
function refuseOtherKeys(handle: object): void {
  const assign = (setter: Entry, key: string, remedy: string, isDone: () => boolean): boolean => called(setter, () => {
    if (!isDone())
      throw new SessionError('INVALID_VALUE', `\`session.${key}\` cannot be assigned. ${remedy}`)
    return true
  })
  // A handle that is being made can be extended: compilers may make assignments of its fields.
  const set: Trap<'set'> = (target, key, value, receiver) =>
    assign(set, String(key), lineToWrite('session.data', [], { target, key: String(key) }), () => Reflect.set(target, key, value, receiver))
  Object.setPrototypeOf(handle, new Proxy(Object.prototype, { set }))
  const setData = (): boolean => assign(setData, 'data', 'Write `await session.update({ key: value })`.', () => false)
  Object.defineProperty(handle, 'data', { ...Object.getOwnPropertyDescriptor(handle, 'data'), set: setData })
}

function createGuard(originals: WeakMap<object, object>): Guard {
  const guards = { 'session.data': new WeakMap<object, object>(), 'data': new WeakMap<object, object>() }
  return function guardAt<T>(value: T, name: DataName, path: DataPath): T {
    if (typeof value !== 'object' || value === null)
      return value
    const known = guards[name].get(value)
    if (known)
      return known as T
    // A proxy must show what its target holds: guarded parts need a target of their own.
    const target: object = Array.isArray(value)
      ? value.map((part, index) => guardAt(part, name, [...path, index]))
      : Object.fromEntries(Object.entries(value).map(([key, part]) => [key, guardAt(part, name, [...path, key])]))
    const made = new Proxy(Object.freeze(target), refuseWrites(name, path))
    guards[name].set(value, made)
    originals.set(made, value)
    return made as T
  }
}

/** Traps that do what any frozen object would do, and tell where it would fail. */
function refuseWrites(name: DataName, path: DataPath): ProxyHandler<object> {
  const attempt = (trap: Entry, isDone: () => boolean, write: Write): boolean => called(trap, () => {
    if (!isDone())
      throw new SessionError('INVALID_VALUE', `The data of a session is read-only. ${lineToWrite(name, path, write)}`)
    return true
  })
  const set: Trap<'set'> = (target, key, value, receiver) =>
    attempt(set, () => Reflect.set(target, key, value, receiver), { target, key: String(key) })
  const defineProperty: Trap<'defineProperty'> = (target, key, descriptor) =>
    attempt(defineProperty, () => Reflect.defineProperty(target, key, descriptor), { target, key: String(key) })
  const deleteProperty: Trap<'deleteProperty'> = (target, key) =>
    attempt(deleteProperty, () => Reflect.deleteProperty(target, key), { target, key: String(key), isDelete: true })
  return { set, defineProperty, deleteProperty }
}

const ORIGINALS = Symbol.for('unsession:originals')

/** What each guard stands for; one for all copies of this module, as a reload makes them. */
function originalsByGuard(): WeakMap<object, object> {
  const host = globalThis as { [ORIGINALS]?: WeakMap<object, object> }
  return host[ORIGINALS] ??= cloneOriginals(new WeakMap())
}

/** `structuredClone` refuses every proxy. Here it clones what a guard stands for. */
function cloneOriginals(originals: WeakMap<object, object>): WeakMap<object, object> {
  const { structuredClone: clone } = globalThis
  globalThis.structuredClone = (value, options) => {
    try {
      return clone(value, options)
    }
    catch {
      return clone(withoutGuards(value, originals, new Map()), options)
    }
  }
  return originals
}

/** A value with what the guards stand for in their places, also inside of plain objects and arrays. */
function withoutGuards<T>(value: T, originals: WeakMap<object, object>, copies: Map<object, object>): T {
  if (typeof value !== 'object' || value === null)
    return value
  const known = originals.get(value) ?? copies.get(value)
  if (known || !(Array.isArray(value) || isPlainObject(value)))
    return (known ?? value) as T
  const copy: object = Array.isArray(value) ? value.slice() : { ...value }
  copies.set(value, copy)
  for (const [key, part] of Object.entries(value))
    setOwn(copy as Record<string, unknown>, key, withoutGuards(part, originals, copies))
  return copy as T
}
