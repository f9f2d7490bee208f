import { getCurrentInstance } from 'vue'

/**
 * Mostly the same on the server and in the browser; middleware and plugins have none. Not
 * Vue's `useId`, which would shift the ids of everybody else.
 *
 * @param counts how often each name was given on the page
 */
export function useComponentId(counts: Record<string, number>): string | undefined {
  const type = getCurrentInstance()?.type
  if (!type)
    return undefined
  const name = `${type.__name}:`
  return name + (counts[name] = (counts[name] ?? 0) + 1)
}
