import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FreshRegions } from '#test/harness/fresh-regions.ts'

describe('the ledger of a pool that is refused machines', () => {
  const regions = new FreshRegions('waiting')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const rows = async (state: string) => ((await done('ListLedger', { PageSize: 100, Filter: { Kinds: ['Machine'], States: [state] } })).Items ?? [])
  const waiting = async () => (await rows('Intended')).length

  test('has a row for every claim that waits, however many are wanted meanwhile, and no more rows than were ever wanted', async () => {
    const { NodePoolId, to } = await regions.machinePool()
    await done('SetStock', { Kind: 'Machine', Count: 0 })
    await to(2)
    await step('2m')
    assert.equal(await waiting(), 2)
    await to(5)
    await step('1s')
    assert.equal(await waiting(), 5)
    for (const { Owner, ProviderId, Because } of await rows('Intended')) {
      assert.deepEqual([(Owner as { Id?: string }).Id, ProviderId], [NodePoolId, undefined])
      assert.match(String(Because), /[Tt]he claim waits: Nothing of the kind Machine is left in stock/)
    }
    await step('10h')
    assert.equal(await waiting(), 5)
    for (const size of [1, 4, 5, 2, 5]) {
      await to(size)
      await step('10m')
      assert.equal(await waiting(), size)
    }
    // One more is what was tried now and then.
    assert.ok((await rows('Released')).length <= 1, `${(await rows('Released')).length} rows of claims that wait no more`)
    await done('SetStock', { Kind: 'Machine', Unlimited: true })
    await step('10m')
    assert.deepEqual([await waiting(), (await rows('Held')).length], [0, 5])
  })
})
