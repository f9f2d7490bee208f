import type { ServerResponse } from 'node:http'

type Method = (...args: unknown[]) => unknown

/** The obvious way to hold a response, which is not good enough: calls are noted and made later. */
export function recordResponse(res: ServerResponse, settle: () => Promise<void> | undefined): void {
  const methods = res as unknown as Record<string, Method>
  let calls: (() => unknown)[] | undefined
  let isReleased = false
  for (const name of ['writeHead', 'write', 'end', 'flushHeaders']) {
    const original = methods[name]!
    methods[name] = (...args) => {
      if (isReleased)
        return original.apply(res, args)
      if (!calls) {
        const settled = settle()
        if (!settled)
          return original.apply(res, args)
        calls = []
        void settled.then(() => {
          isReleased = true
          calls!.forEach(call => call())
        })
      }
      calls.push(() => original.apply(res, args))
      return name === 'write' ? true : res
    }
  }
}
