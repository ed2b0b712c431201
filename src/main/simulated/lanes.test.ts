import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { RegionChange } from '#ports/region-events.ts'
import { inLanes, inParts, inWholeParts } from './lanes.ts'

test('as many are under way as there are lanes, in their order', async () => {
  const begun: number[] = [], ends = [0, 1, 2].map(() => Promise.withResolvers<void>())
  const all = inLanes([0, 1, 2], 2, async item => {
    begun.push(item)
    await ends[item]?.promise
  })
  assert.deepEqual(begun, [0, 1])
  ends[1]?.resolve()
  await setImmediate()
  assert.deepEqual(begun, [0, 1, 2])
  for (const end of ends) end.resolve()
  await all
})

test('once one has failed no more are begun, and it is told when the others have ended', async () => {
  const begun: number[] = [], slow = Promise.withResolvers<void>()
  let told = false
  const all = inLanes([0, 1, 2, 3], 2, async item => {
    begun.push(item)
    if (item === 0) throw new Error('on purpose')
    await slow.promise
  })
  all.then(() => {}, () => { told = true })
  await setImmediate()
  assert.deepEqual([begun, told], [[0, 1], false])
  slow.resolve()
  await assert.rejects(all, /on purpose/)
  assert.deepEqual(begun, [0, 1])
})

test('what is of one cluster or machine is in one part, in its order', () => {
  const change = (clusterId: string, addon: string): RegionChange => ({ kind: 'Workload', clusterId, addon })
  const off = (id: string): RegionChange => ({ kind: 'Machine', id, seen: undefined })
  const changes = [change('a', '1'), off('m'), change('b', '1'), change('a', '2'), off('n'), change('a', '3'), off('m')]
  const parts = inWholeParts(changes, 3)
  assert.deepEqual(parts, [[change('a', '1'), change('a', '2'), change('a', '3')], [off('m'), off('m'), change('b', '1')], [off('n')]])
  assert.deepEqual(inWholeParts(changes, 1).map(({ length }) => length), [3, 2, 1, 1])
  assert.deepEqual([inWholeParts([], 3), inParts([1, 2, 3], 2)], [[], [[1, 2], [3]]])
})
