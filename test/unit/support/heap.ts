import { Session } from 'node:inspector/promises'

/** The bytes of the heap of this thread that are still in use. */
export async function heapAfterCollection(): Promise<number> {
  const inspector = new Session()
  inspector.connect()
  try {
    await inspector.post('HeapProfiler.collectGarbage')
    return process.memoryUsage().heapUsed
  }
  finally {
    inspector.disconnect()
  }
}
