import type { NodeResponse } from '../node-response'

/** What sessions put on a response before its head is written. */
const OURS = new Set(['set-cookie', 'vary', 'cache-control', 'session-changed'])

/** True for a response on which its handler would have found no headers without us. */
export function hasOnlyOurs(res: NodeResponse): boolean {
  return res.getHeaderNames().every(name => OURS.has(name))
}

/**
 * Arguments of `writeHead` in which a list of headers has each name once, with all of its values.
 * Beside headers that were set before, Node 20 keeps the last of a name only, and every version
 * refuses pairs; without any it takes both.
 */
export function groupHeaders(args: readonly unknown[]): unknown[] {
  return args.map(arg => Array.isArray(arg) ? groupList(arg) : arg)
}

function groupList(list: readonly unknown[]): readonly unknown[] {
  const flat = Array.isArray(list[0]) ? list.flat(1) : list
  // For Node to refuse.
  if (flat.length % 2 === 1)
    return list
  const groups = new Map<string, [name: unknown, value: unknown]>()
  for (let index = 0; index < flat.length; index += 2) {
    const [name, value] = [flat[index], flat[index + 1]]
    const key = String(name).toLowerCase()
    const group = groups.get(key)
    groups.set(key, group ? [group[0], [group[1], value].flat(1)] : [name, value])
  }
  return [...groups.values()].flat(1)
}
