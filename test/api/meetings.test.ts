import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Meeting } from '#api/meeting.ts'
import { FreshRegions } from '#test/harness/fresh-regions.ts'
import { until } from '#test/harness/waiting.ts'

describe('calls of a region that meet', () => {
  const r = new FreshRegions('meetings')

  test('a call that a fault holds is not among them, so that nobody waits for it', async t => {
    const meetings = new Set<unknown>()
    let underWay = 0
    const join = Reflect.get(Meeting.prototype, 'join') as Meeting['join']
    t.mock.method(Meeting.prototype, 'join', async function <Answer>(this: Meeting, call: () => Promise<Answer>): Promise<Answer> {
      meetings.add(this)
      underWay++
      try {
        return await join.call(this, call) as Answer
      } finally {
        underWay--
      }
    })
    const other = `${r.region}-other`
    await r.server.done('CreateRegion', { Region: other, Seed: 1, Paused: true })
    await r.server.done('InjectFault', { Port: 'api', Call: 'SetStock', Effect: { Type: 'hang', For: '1s' } }, other)
    const held = Array.from({ length: 10 }, () => r.server.call('SetStock', { Kind: 'Machine', Unlimited: true }, other).catch(() => undefined)) // how they end is no matter
    await until(async () => (await r.server.done('ListFaults', {}, other) as { Items: { Hits: number }[] }).Items[0]?.Hits === 10)
    assert.equal(underWay, 0)
    meetings.clear()
    for (const region of [other, r.region]) await r.server.done('SetBalance', { Amount: 1_000 }, region)
    assert.equal(meetings.size, 2, 'each region has its own')
    await Promise.all(held)
  })
})
