import type { ExposedData } from './types'

/** True for a session that has what is required; without a requirement, anything that is exposed. */
export function isMet(data: ExposedData, required: string | ((data: ExposedData) => boolean) | undefined): boolean {
  if (typeof required === 'function')
    return required(data)
  return required ? (data as Record<string, unknown>)[required] != null : Object.keys(data).length > 0
}

/** True for paths that are one, but for a slash that sites add or take away. */
export function isSamePath(a: string, b: string): boolean {
  return withSlash(a) === withSlash(b)
}

function withSlash(path: string): string {
  return path.replace(/\/?$/, '/')
}
