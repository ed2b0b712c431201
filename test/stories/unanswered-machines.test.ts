/** Machines of a provider that does what it is asked to and whose answers are lost, or that does not say for hours what is there. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SimulatedMachines } from '#providers/simulated/machines/simulated-machines.ts'
import { ANY_CLUSTER, FreshRegions } from '#test/harness/fresh-regions.ts'

describe('a machine of a provider whose answers are lost', () => {
  const regions = new FreshRegions('unanswered')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const ledger = async () => ((await done('ListLedger', { Filter: { Kinds: ['Machine'], States: ['Intended', 'Held'] } })).Items ?? []).map(({ State }) => State)

  /** A cluster with a pool that orders machines and has none yet. */
  async function pool() {
    const { Id: ClusterId = '' } = await done('CreateCluster', ANY_CLUSTER)
    await step('60s')
    const { Id: NodePoolId = '' } = await done('CreateEdgeNodePool', {
      ClusterId, Name: 'burst', NodePoolType: 'edge-machine-pool',
      ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 0, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
    })
    await step('1m')
    return { ClusterId, NodePoolId, to: (DesiredReplicas: number) => done('ScaleUpEdgeNodePool', { ClusterId, NodePoolId, DesiredReplicas }) }
  }

  /** The same with one machine, which is to go. */
  async function leaving(breakIt: () => Promise<unknown>) {
    const { ClusterId, NodePoolId, to } = await pool()
    await to(1)
    await step('10m')
    assert.deepEqual(await regions.nodePairs(), ['Running/Ok'])
    await breakIt()
    const [node] = await regions.nodes()
    const remove = () => done('DeleteEdgeNodes', { ClusterId, NodePoolId, Ids: [node?.['Id']], CascadingDeleteResources: ['Ecs'] })
    await remove()
    return { remove, Id: node?.['Id'] }
  }

  test('is gone, and costs nothing any more, once the time for its removal is over and nobody sees it', async () => {
    await leaving(() => done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'half' } }))
    await step('20m')
    assert.deepEqual([await regions.worldPowers(), await regions.nodePairs(), await ledger()], [[], [], []])
  })

  test('is held, and says so, where its removal is refused, also while nothing is seen of it', async t => {
    const { remove } = await leaving(async () => {
      await done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'protected' } })
      t.mock.method(SimulatedMachines.prototype, 'look', async () => undefined)
    })
    await step('20m')
    t.mock.restoreAll()
    assert.deepEqual([await regions.nodePairs(), await ledger()], [['Failed/ResourceCleanupFailed'], ['Held']])
    await done('ClearFault', { All: true })
    await remove()
    await step('1m')
    assert.deepEqual([await regions.worldPowers(), await regions.nodePairs(), await ledger()], [[], [], []])
  })
})
