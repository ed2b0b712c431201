import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemTime } from '#test/harness/waiting.ts'
import { Meeting } from './meeting.ts'

const turn = () => new Promise<void>(resolve => { setImmediate(resolve) })

test('a call begins at once while few are under way, and those that come while many are begin in one turn', async () => {
  const waited = Promise.withResolvers<void>(), meeting = new Meeting({ sleep: () => waited.promise }), begun: number[] = []
  const ends = Array.from({ length: 11 }, () => Promise.withResolvers<number>())
  const calls = ends.map(({ promise }, number) => meeting.join(() => {
    begun.push(number)
    return promise
  }))
  await turn()
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6, 7])
  waited.resolve()
  await turn()
  assert.deepEqual(begun.slice(8), [8, 9, 10])

  for (const [number, end] of ends.entries()) end.resolve(number)
  assert.deepEqual(await Promise.all(calls), [...ends.keys()])
  assert.equal(await meeting.join(async () => 'alone'), 'alone')
})

test('a call that fails is under way no longer', async () => {
  const meeting = new Meeting(systemTime)
  await Promise.all(Array.from({ length: 20 }, () => assert.rejects(meeting.join(() => Promise.reject(new Error('no'))), /no/)))
  let hasBegun = false
  const call = meeting.join(async () => { hasBegun = true })
  assert.equal(hasBegun, true)
  await call
})

test('nobody begins before one who came first and waits', async () => {
  const waited = Promise.withResolvers<void>(), meeting = new Meeting({ sleep: () => waited.promise }), begun: string[] = []
  const ends = Array.from({ length: 8 }, () => Promise.withResolvers<void>())
  const underWay = ends.map(({ promise }) => meeting.join(() => promise))
  const first = meeting.join(async () => { begun.push('first') })
  ends[0]?.resolve()
  await underWay[0]
  const second = meeting.join(async () => { begun.push('second') })
  await turn()
  assert.deepEqual(begun, [])
  waited.resolve()
  await Promise.all([first, second])
  assert.deepEqual(begun, ['first', 'second'])
  for (const end of ends) end.resolve()
  await Promise.all(underWay)
})
