import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRecord } from '../../src/core/record/record'
import { assertRecordFits, recordBytes } from '../../src/core/record/size'

const LIMITS = { maxAge: 60, idleTimeout: 0 }
const key = fc.string({ unit: 'binary', maxLength: 5 })
const data = fc.dictionary(key, fc.jsonValue({ stringUnit: 'binary' }), { maxKeys: 5 })

describe('a record', () => {
  it('fits when it is as long as is allowed, and not when it is one byte longer, whatever it holds', () => {
    fc.assert(fc.property(data, data, fc.option(fc.nat(), { nil: undefined }), (data, flash, maxAge) => {
      const empty = createRecord(1e12, LIMITS)
      const record = { ...createRecord(1e12, LIMITS, maxAge === undefined ? undefined : { maxAge, persistent: false }), data, flash }
      const bytes = recordBytes(record)
      assertRecordFits(record, bytes, empty)
      // Nothing is there to be made smaller.
      if (bytes > recordBytes(empty))
        expect(() => assertRecordFits(record, bytes - 1, empty)).toThrow(/bytes/)
    }), { numRuns: 2000 })
  })
})
