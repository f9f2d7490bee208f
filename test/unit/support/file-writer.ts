import type { SessionRecord } from '../../../src/core/types'
import { once } from 'node:events'
import process from 'node:process'
import { createStorage } from 'unstorage'
import fsLite from 'unstorage/drivers/fs-lite'
import { createStorageStore } from '../../../src/core/stores/unstorage'

/**
 * A process that adds to the number in a record, and to the number of its own in it, over
 * and over: file-writer.ts <folder> <key> <name> <times>. It says when it is ready and
 * begins when it is told anything.
 */
const [base = '', key = '', name = '', times = '0'] = process.argv.slice(2)
const store = createStorageStore(createStorage({ driver: fsLite({ base }) }), { base: '', timeout: 30_000 })

console.log('ready')
await once(process.stdin, 'data')
for (let won = 0; won < Number(times);) {
  const record = await store.get(key) as SessionRecord
  const data = { ...record.data, n: record.data.n as number + 1, [name]: won + 1 }
  won += Number(await store.compareAndSet!(key, record.revision, { ...record, data, revision: `${won} of ${name}` }, 60))
}
process.exit()
