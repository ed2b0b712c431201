import assert from 'node:assert/strict'
import { test } from 'node:test'

import { SharedReads } from './shared-reads.ts'

test('callers at the same time share a query, and nobody gets one that began before it asked', async () => {
  const reads = new SharedReads()
  let began = 0
  const gates: PromiseWithResolvers<number>[] = []
  const read = () => {
    began += 1
    const gate = Promise.withResolvers<number>()
    gates.push(gate)
    return gate.promise
  }
  const first = reads.share('q', read)
  const during = [reads.share('q', read), reads.share('q', read)]
  const other = reads.share('another', read)
  assert.equal(began, 2)
  gates[0]?.resolve(1)
  gates[1]?.resolve(9)
  assert.deepEqual([await first, await other], [1, 9])
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(began, 3)
  const later = reads.share('q', read)
  gates[2]?.resolve(2)
  assert.deepEqual(await Promise.all(during), [2, 2])
  await new Promise(resolve => setImmediate(resolve))
  gates[3]?.reject(new Error('lost'))
  await assert.rejects(later, /lost/)
  const again = reads.share('q', read)
  gates[4]?.resolve(5)
  assert.equal(await again, 5)
})
