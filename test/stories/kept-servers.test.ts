/** Servers that their pool kept when their node went, and that come again: the old machine goes and a new one is made. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANY_CLUSTER, FreshRegions, pairOf } from '#test/harness/fresh-regions.ts'

describe('a kept server that comes again is the node that CreateNodes answered', () => {
  const regions = new FreshRegions('kept')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const add = async (ClusterId: string) => {
    const { Ids: [node = ''] = [] } = await done('CreateNodes', { ClusterId, InstanceIds: ['i-1'] }) as { Ids?: readonly string[] }
    await regions.step('5m')
    return node
  }
  const shown = async () => ((await done('ListNodes')).Items ?? []).map(item => [item['Id'], pairOf(item)])

  for (const [what, action, limit] of [['its quota', 'SetQuota', { Limit: 1 }], ['the stock', 'SetStock', { Count: 1 }]] as const) {
    test(`where ${what} has no other place and the old machine goes only after some tries`, async () => {
      const { Id: ClusterId = '' } = await done('CreateCluster', ANY_CLUSTER)
      await regions.step('60s')
      const { Id: NodePoolId } = await done('CreateDefaultNodePool', { ClusterId })
      await done(action, { Kind: 'Machine', ...limit })
      const first = await add(ClusterId)
      assert.deepEqual(await shown(), [[first, 'Running/Ok']])
      await done('DeleteNodes', { ClusterId, NodePoolId, Ids: [first] })
      await regions.step('1m')
      assert.deepEqual(await shown(), [])
      await done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'fail' }, Times: 3 })
      const again = await add(ClusterId)
      assert.deepEqual(await shown(), [[again, 'Running/Ok']])
    })
  }

  test('and is refused in time where the old machine cannot be removed', async () => {
    const { Id: ClusterId = '' } = await done('CreateCluster', ANY_CLUSTER)
    await regions.step('60s')
    const { Id: NodePoolId } = await done('CreateDefaultNodePool', { ClusterId })
    await done('SetQuota', { Kind: 'Machine', Limit: 1 })
    const first = await add(ClusterId)
    await done('DeleteNodes', { ClusterId, NodePoolId, Ids: [first] })
    await regions.step('1m')
    await done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'fail' } })
    const again = await add(ClusterId)
    assert.deepEqual(await shown(), [[again, 'Creating/Progressing']])
    await regions.step('1h')
    const { Items = [] } = await done('ListStatusHistory', { Filter: { Ids: [again] } }) as { Items?: readonly { readonly Because: string }[] }
    assert.match(Items[0]?.Because ?? '', /The account may have 1 of the kind Machine and has 1/)
  })
})
