import type * as Product from '../../../src/h3'
import { join } from 'node:path'
import { setup as packPackage } from '../../support/package'

let packed: Promise<void> | undefined

/** Packs the sources as they are published, once they have changed; the fixtures then find them. */
export function packOnce(): Promise<void> {
  packed ??= packPackage()
  return packed
}

/** `unsession/h3` as users install it: from TypeScript it would be another program. */
export async function importPacked(): Promise<typeof Product> {
  await packOnce()
  return import(join(import.meta.dirname, '../../node_modules/unsession/dist/h3.js')) as Promise<typeof Product>
}
