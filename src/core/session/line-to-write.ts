import type { DataName, DataPath } from '../calls/hand-out'

/** An attempt to change something in place. */
export interface Write {
  readonly target: object
  readonly key: string
  readonly isDelete?: boolean
}

/**
 * What changes data for good, in place of an assignment.
 *
 * @param path where in the data the target is
 */
export function lineToWrite(name: DataName, path: DataPath, write: Write): string {
  const key = String(path[0] ?? write.key)
  const value = path.length > 0 ? changedCopy(name, path, 1, write) : write.isDelete ? 'undefined' : 'value'
  if (name === 'data')
    return `Return what changes: \`data => ({ ${property(key)}: ${value} })\`.`
  const line = value === 'undefined' ? `session.delete(${quoted(key)})` : `session.set(${quoted(key)}, ${value})`
  return `Write \`${line}\`, with \`session = await useSession(event)\`.`
}

/** The value at the first keys of a path with the change in it, as code. */
function changedCopy(name: DataName, path: DataPath, depth: number, write: Write): string {
  const place = name + path.slice(0, depth).map(access).join('')
  const key = path[depth]
  if (key === undefined)
    return Array.isArray(write.target) ? changedArray(place, write.target.length, write) : changedObject(place, write)
  const part = changedCopy(name, path, depth + 1, write)
  return typeof key === 'number' ? `${place}.with(${key}, ${part})` : `{ ...${place}, ${property(key)}: ${part} }`
}

function changedObject(place: string, { key, isDelete }: Write): string {
  return `{ ...${place}, ${property(key)}: ${isDelete ? 'undefined' : 'value'} }`
}

function changedArray(place: string, length: number, { key, isDelete }: Write): string {
  if (isDelete)
    return `${place}.toSpliced(${key}, 1)`
  if (key === 'length')
    return `${place}.slice(0, value)`
  return Number(key) < length ? `${place}.with(${key}, value)` : `[...${place}, value]`
}

const IDENTIFIER = /^[a-z_$][\w$]*$/i

function property(key: string): string {
  return IDENTIFIER.test(key) ? key : quoted(key)
}

function access(key: string | number): string {
  return typeof key === 'string' && IDENTIFIER.test(key) ? `.${key}` : `[${typeof key === 'string' ? quoted(key) : key}]`
}

function quoted(key: string): string {
  return IDENTIFIER.test(key) ? `'${key}'` : JSON.stringify(key)
}
