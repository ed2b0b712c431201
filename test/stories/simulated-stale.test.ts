import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANY_CLUSTER, FreshRegions } from '#test/harness/fresh-regions.ts'

interface Status { readonly Phase: string; readonly Conditions: readonly { readonly Type: string }[] }
interface Explained { readonly Status: Status; readonly StaleSince?: string }

const API = { Port: 'control-plane-host', Call: 'kube-apiserver' }

describe('what was seen before its cluster lost its API is told as from before, whatever took the API away', () => {
  const regions = new FreshRegions('blind')

  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const fault = async (what: object, Type: string) => { await done('InjectFault', { ...what, Effect: { Type } }) }
  const spend = async () => {
    await done('SetBalance', { Amount: -1 })
    await step('3h')
  }

  /** Of one of each kind: what it shows, and whether that is marked as from before. */
  type Seen = Readonly<Record<'cluster' | 'pool' | 'ordered' | 'joined' | 'running' | 'clashing', string>>

  async function begin(): Promise<{ readonly clusterId: string; readonly seen: () => Promise<Seen> }> {
    const { Id: ClusterId = '' } = await done('CreateCluster', ANY_CLUSTER)
    await step('60s')
    const { Id: pool = '' } = await done('CreateEdgeNodePool', {
      ClusterId, Name: 'burst', NodePoolType: 'edge-machine-pool',
      ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 1, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
    })
    const { Id: counters = '' } = await done('CreateEdgeNodePool', { ClusterId, Name: 'counters' })
    await step('10s')
    const { Ids: [script] = [] } = await done('CreateBatchEdgeMachine', { ClusterId, NodePoolId: counters, Name: 'tills', TTLHours: 24 })
    const { Id: machine = '' } = await done('AddMachine', { Name: 'till-1' })
    await step('30s')
    await done('SetMachine', { Id: machine, RunScript: script })
    await done('PutObject', { ClusterId, Kind: 'Deployment', Namespace: 'kube-system', Name: 'metrics-server' })
    await done('CreateAddon', { ClusterId, Name: 'metrics-server', Version: 'v0.8.0' })
    await step('5m')
    const nodes = (await done('ListEdgeNodes')).Items ?? []
    const nodeOf = (poolId: string) => String(nodes.find(node => node['NodePoolId'] === poolId)?.['Id'])
    const ids = { cluster: ClusterId, pool, ordered: nodeOf(pool), joined: nodeOf(counters), running: `${ClusterId}:core-dns`, clashing: `${ClusterId}:metrics-server` }
    const told = async (Id: string) => {
      const explained = await done('ExplainStatus', { Id }).catch((error: unknown) => {
        if (!/NotFound/.test(String(error))) throw error
      })
      if (!explained) return 'gone'
      const { Status: { Phase, Conditions }, StaleSince } = explained as unknown as Explained
      return `${Phase}/${Conditions.map(({ Type }) => Type).join('+')}${StaleSince === undefined ? '' : ' before'}`
    }
    const seen = async () => Object.fromEntries(await Promise.all(Object.entries(ids).map(async ([name, id]) => [name, await told(id)] as const))) as Seen
    assert.deepEqual(await seen(), WHOLE)
    return { clusterId: ClusterId, seen }
  }

  const WHOLE: Seen = { cluster: 'Running/Ok', pool: 'Running/Ok', ordered: 'Running/Ok', joined: 'Running/Ok', running: 'Running/Ok', clashing: 'Failed/NameConflict' }
  const heals = async (seen: () => Promise<Seen>) => {
    await done('ClearFault', { All: true })
    await step('2h')
    assert.deepEqual(await seen(), WHOLE)
  }

  test('an API that ends again and again', async () => {
    const { seen } = await begin()
    await fault(API, 'fail')
    await step('30m')
    assert.deepEqual(await seen(), { cluster: 'Failed/Unknown', pool: 'Running/Ok before', ordered: 'Running/Ok before', joined: 'Running/Ok before', running: 'Running/Ok before', clashing: 'Failed/NameConflict before' })
    await heals(seen)
  })

  test('a host on which nothing starts', async () => {
    const { seen } = await begin()
    await fault({ Port: 'control-plane-host', Call: 'etcd' }, 'fail')
    await step('30m')
    assert.deepEqual(await seen(), { cluster: 'Failed/Unknown', pool: 'Running/Ok before', ordered: 'Running/Ok before', joined: 'Running/Ok before', running: 'Running/Ok before', clashing: 'Failed/NameConflict before' })
    await heals(seen)
  })

  test('a stop for arrears, a start after them, and one that fails', async () => {
    const { seen } = await begin()
    await spend()
    const children = { pool: 'Failed/ClusterNotRunning', running: 'Failed/ClusterNotRunning', clashing: 'Failed/ClusterNotRunning' }
    // That a machine was shut down is seen of the machine.
    assert.deepEqual(await seen(), { cluster: 'Stopped/Balance', ...children, ordered: 'Failed/Balance', joined: 'Running/Ok before' })
    await fault(API, 'silent')
    await done('SetBalance', { Unlimited: true })
    await step('5m')
    assert.deepEqual(await seen(), { cluster: 'Starting/Progressing', ...children, ordered: 'Failed/NotReady before', joined: 'Running/Ok before' })
    await step('20m')
    assert.deepEqual(await seen(), { cluster: 'Failed/Unknown', ...children, ordered: 'Failed/NotReady before', joined: 'Running/Ok before' })
    await heals(seen)
  })

  test('a machine that does not obey in arrears', async () => {
    const { seen } = await begin()
    await fault({ Port: 'machines', Call: 'ensure' }, 'fail')
    await spend()
    assert.equal((await seen()).ordered, 'Running/Ok before')
    await done('SetBalance', { Unlimited: true })
    await heals(seen)
  })

  test('a deletion, of which nothing is from before', async () => {
    const { clusterId, seen } = await begin()
    await fault(API, 'fail')
    await step('30m')
    for (const Port of ['machines', 'control-plane-host']) await fault({ Port, Call: 'ensureGone' }, 'protected')
    await done('DeleteCluster', { Id: clusterId, CascadingDeleteResources: ['All'] })
    await step('1m')
    assert.doesNotMatch(Object.values(await seen()).join(), /before/)
    await step('30m')
    const left = 'Failed/ResourceCleanupFailed'
    assert.deepEqual(await seen(), { cluster: left, pool: left, ordered: left, joined: 'gone', running: left, clashing: left })
  })
})
