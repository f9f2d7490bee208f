import type { ExposedData } from './types'

/** True for a session that has what is required; without a requirement, anything that is exposed. A function is not asked about strangers. */
export function isMet(data: ExposedData, required: string | ((data: ExposedData) => boolean) | undefined): boolean {
  const isAnybody = Object.keys(data).length > 0
  if (typeof required === 'function')
    return isAnybody && required(data)
  return required ? (data as Record<string, unknown>)[required] != null : isAnybody
}

/** True for paths that are one, but for a slash that sites add or take away. */
export function isSamePath(a: string, b: string): boolean {
  return withSlash(a) === withSlash(b)
}

function withSlash(path: string): string {
  return path.replace(/\/?$/, '/')
}
