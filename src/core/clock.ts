/**
 * Milliseconds that only ever grow, to measure how long things take. By its full name: builds
 * for workers add a substitute wherever the short one is used, and every worker has it.
 */
export function elapsed(): number {
  return globalThis.performance.now()
}
