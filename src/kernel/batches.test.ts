import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClaimedWork } from '#ports/queue.ts'
import { batchesOf } from './batches.ts'

const work = (name: string): ClaimedWork => {
  const [kind = '', id = ''] = name.split('/')
  return { kind: kind as ClaimedWork['kind'], id, region: 'sim-9', ordinal: 1, generation: 1, failures: 0 }
}
const together = (kind: string): boolean => kind === 'node'
const shown = (batches: ReturnType<typeof batchesOf>) => batches.map(batch => batch.map(({ kind, id }) => `${kind}/${id}`).join(' '))
const CLAIMED = ['node/a', 'node/b', 'machine/a', 'node/c', 'node/d'].map(work)

test('for one hand, keys that follow one another are a batch, and the order stays', () => {
  assert.deepEqual(shown(batchesOf(CLAIMED, 1, together)), ['node/a node/b', 'machine/a', 'node/c node/d'])
})

test('for several hands, keys of a kind that shares its passes are together, and others are each by itself', () => {
  assert.deepEqual(shown(batchesOf([...CLAIMED, work('machine/b')], 8, together)), ['node/a node/b node/c node/d', 'machine/a', 'machine/b'])
})

test('many keys are several batches, none of which is empty', () => {
  const many = Array.from({ length: 250 }, (_, number) => work(`node/${number}`))
  for (const hands of [1, 4]) {
    const batches = batchesOf(many, hands, together)
    assert.deepEqual(batches.flat(), many)
    assert.ok(batches.every(batch => batch.length > 0 && batch.length <= 100))
  }
  assert.deepEqual(batchesOf([], 8, together), [])
})
