/** What a provider says may be wrong, over and over, and is no endless work: each such fault at each call of each port, through the lives of what there is, for a day of the region's time; passes are counted, in memory. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { PORT_CALLS } from '#providers/simulated/faults/calls.ts'
import { complaint } from '#providers/simulated/faults/complaint.ts'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { ANY_CLUSTER } from '#test/harness/fresh-regions.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'

const TYPES = ['lie', 'stutter', 'half', 'double'] as const
const FAULTS = Object.entries(PORT_CALLS).flatMap(([port, calls = {}]) => Object.keys(calls).flatMap(call => TYPES.map(type => ({ port, call, effect: { type } })))).filter(fault => complaint(fault, 0) === undefined)
/** Of any one key. Most passes are those of what fails and is tried every half minute until a deadline. */
const PASSES = 1_000

describe('faults by which what is said is not so', () => {
  let server: SimulatedServer
  /** By region and key. */
  const passes = new Map<string, Map<string, number>>()
  before(async () => {
    const store = new MemoryStore(() => Date.now())
    const due = store.queue.due.bind(store.queue)
    store.queue.due = async (lease, asked) => {
      // Work in memory alone that never ends would let no timer of a test come.
      const found = await setImmediate(due(lease, asked)), counts = passes.get(asked.region) ?? new Map<string, number>()
      passes.set(asked.region, counts)
      for (const { kind, id } of found) counts.set(`${kind}/${id}`, (counts.get(`${kind}/${id}`) ?? 0) + 1)
      return found
    }
    server = await SimulatedServer.open({ store, queue: store.queue, worldStore: new MemoryWorldStore(), log: QUIET })
  })
  after(() => server.close())

  for (const [index, { port, call, effect: { type } }] of FAULTS.entries()) {
    test(`${type} at ${port} ${call}`, async t => {
      const region = `kinds-${index}`
      /** What it answers does not matter: what was asked for may not be there. */
      const ask = async (action: string, body: object = {}) => (await server.call(action, body, region)).result
      const most = () => [...passes.get(region) ?? []].reduce((one, other) => (other[1] > one[1] ? other : one), ['nothing', 0])
      const step = async (Step: string) => {
        for (let clock = await server.done('SetClock', { Step }, region); clock['Behind'] !== undefined && most()[1] <= PASSES;) clock = await server.done('SetClock', { Step: '0s' }, region)
        assert.ok(most()[1] <= PASSES, `passes of ${most().join(': ')}`)
      }
      await server.done('CreateRegion', { Region: region, Seed: 7, Paused: true })
      t.after(() => server.done('DeleteRegion', { Region: region }))
      const { Id: ClusterId = '' } = await server.done('CreateCluster', ANY_CLUSTER, region)
      await step('2m')
      const { Id: NodePoolId = '' } = await server.done('CreateEdgeNodePool', {
        ClusterId, Name: 'burst', NodePoolType: 'edge-machine-pool',
        ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: true, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 2, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
      }, region)
      await server.done('CreateAddon', { ClusterId, Name: 'ingress-nginx' }, region)
      const { Id: own } = await server.done('AddMachine', { Name: 'own' }, region)
      await step('5m')

      await server.done('InjectFault', { Port: port, Call: call, Effect: { Type: type } }, region)
      await ask('ScaleUpEdgeNodePool', { ClusterId, NodePoolId, DesiredReplicas: 4 })
      await ask('CreateKubeconfig', { ClusterId, Type: 'Private' })
      await ask('CreateAddon', { ClusterId, Name: 'metrics-server' })
      await ask('CreateCluster', { ...ANY_CLUSTER, Name: 'other' })
      await ask('UpdateEdgeNodePoolConfig', { ClusterId, Id: NodePoolId, KubernetesConfig: { Labels: [{ Key: 'a', Value: 'b' }] } })
      await step('30m')
      for (const { Id } of (await ask('ListEdgeNodes', { PageSize: 2 })).Items ?? []) await ask('DeleteEdgeNodes', { ClusterId, NodePoolId, Ids: [Id], CascadingDeleteResources: ['Ecs'] })
      for (const { Id } of (await ask('ListKubeconfigs')).Items ?? []) await ask('DeleteKubeconfigs', { ClusterId, Ids: [Id] })
      await ask('DeleteAddon', { ClusterId, Name: 'ingress-nginx' })
      await ask('RemoveMachine', { Id: own })
      await step('30m')
      await ask('DeleteCluster', { Id: ClusterId, CascadingDeleteResources: ['All'] })
      await step('23h')
    })
  }
})

const quiet = () => {}
const QUIET = { debug: quiet, info: quiet, warn: quiet, error: quiet, child: () => QUIET }
