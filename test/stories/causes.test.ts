import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SCENARIOS } from '#api/scenarios/all.ts'
import { ANY_CLUSTER, FreshRegions } from '#test/harness/fresh-regions.ts'
import type { History } from '#test/harness/simulated-server.ts'

type Told = History & { readonly Resource?: { readonly Kind: string; readonly Name: string } }
interface Link { readonly Resource: { readonly Kind: string; readonly Id: string; readonly Name: string }; readonly Status: History['Status']; readonly Since: string; readonly Because: string; readonly Evidence: History['Evidence'] }

describe('what a status says of its cause', () => {
  const regions = new FreshRegions('why')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const explain = async (Id: string) => await done('ExplainStatus', { Id }) as unknown as Link & { readonly CauseChain: readonly Link[] }
  const pool = async (cluster: string, Name: string, DesiredReplicas: number) => (await done('CreateEdgeNodePool', {
    ClusterId: cluster, Name, NodePoolType: 'edge-machine-pool',
    ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 9, DesiredReplicas, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
  })).Id ?? ''

  const OF_ARREARS = SCENARIOS.filter(({ Reaches: [row] }) => row?.Conditions.includes('Balance'))
  test('there is a scenario for each of the four rows of arrears, and for the two sets that list a failed removal besides', () => assert.equal(OF_ARREARS.length, 6))
  for (const { Name, Reaches: [row] } of OF_ARREARS) {
    test(`${Name}: the evidence says the balance, and since when there is none`, async () => {
      const { Story } = await done('RunScenario', { Name, Seed: 3 })
      const shown = (Story as readonly Told[]).filter(({ Resource, Status }) => Resource?.Kind === row?.Kind && Status?.Phase === row?.Phase && Status?.Conditions.some(({ Type }) => Type === 'Balance'))
      assert.ok(shown.length > 0)
      for (const { Evidence, Because } of shown) {
        const [balance] = Evidence.filter(({ Source }) => Source.startsWith('balance of account '))
        assert.match(balance?.Fact ?? `no word of the balance: ${Because} ${JSON.stringify(Evidence)}`, /^The balance reached zero at 2026-01-05T\d\d:\d\d:\d\dZ.*; it is -?\d+\.\d\d now\.$/)
      }
    })
  }

  for (const { action, limit, condition } of [
    { action: 'SetStock', limit: { Kind: 'Machine', Count: 2 }, condition: 'StockOut' },
    { action: 'SetQuota', limit: { Kind: 'Machine', Limit: 2 }, condition: 'LimitedByQuota' },
  ]) {
    test(`a pool that has two of three machines is ${condition} by what refused the third, and by none of the two`, async () => {
      const { Id: cluster = '' } = await done('CreateCluster', ANY_CLUSTER)
      await step('60s')
      await done(action, limit)
      const id = await pool(cluster, 'burst', 3)
      await step('2m')
      const { Status, CauseChain, Evidence, Because } = await explain(id)
      assert.deepEqual([Status?.Conditions, CauseChain], [[{ Type: condition }], []])
      assert.ok(Evidence.some(({ Observer, Fact }) => Observer === 'machine controller' && Fact === `${Because}.`), JSON.stringify(Evidence))
      await done(action, { Kind: 'Machine', Unlimited: true })
      await step('2m')
      assert.deepEqual((await explain(id)).Status, { Phase: 'Running', Conditions: [{ Type: 'Ok' }] })
    })
  }

  test('who calls while the account is in arrears past its grace time is told why, and since when', async () => {
    const { cluster, machines: [machine = ''] } = await regions.server.fleet(regions.region, ['till-1'])
    await done('SetBalance', { Amount: 0 })
    await step('121m')
    const node = String((await done('ListEdgeNodes', {})).Items?.[0]?.['Id'])
    const refused = async (action: string, body: object) => {
      const { code, message = '' } = await regions.server.call(action, body, regions.region)
      return `${code} ${/since (2026-12-01T0\d:\d\d:\d\dZ)/.exec(message)?.[1]}`
    }
    for (const [action, body] of [
      ['CreateCluster', { ...ANY_CLUSTER, Name: 'second' }], ['AddMachine', { Name: 'till-2' }], ['SetMachine', { Id: machine, Power: 'on' }], ['SetNodeSchedulable', { Id: node, Schedulable: false }], ['CreateKubeconfig', { ClusterId: cluster, Type: 'Private' }],
    ] as const) assert.equal(await refused(action, body), 'OperationDenied.Balance 2026-12-01T00:02:00Z', action)
    // The cluster itself gives kubectl no answer, and why is told by its status.
    for (const [action, body] of [['PutObject', { Kind: 'ConfigMap', Name: 'c' }], ['SetWorkload', { Name: 'batch', Pods: 1 }], ['DeleteObject', { Kind: 'ConfigMap', Name: 'c' }]] as const) {
      assert.equal(await refused(action, { ClusterId: cluster, ...body }), 'OperationDenied.ClusterStatus 2026-12-01T02:02:00Z', action)
    }
    await done('SetMachine', { Id: machine, Power: 'crash' })
    await done('SetBalance', { Amount: 10 })
    await done('SetMachine', { Id: machine, Power: 'on' })
  })

  test('a pool that scales, and its cluster, name a node that comes now, also when the first one has come', async () => {
    const { Id: cluster = '' } = await done('CreateCluster', ANY_CLUSTER)
    await step('60s')
    const id = await pool(cluster, 'burst', 4)
    let looked = 0
    for (let second = 0; second < 120; second++) {
      await step('1s')
      const nodes = new Map(((await done('ListEdgeNodes', {})).Items ?? []).map(node => [node['Id'], (node['Status'] as NonNullable<History['Status']>).Phase]))
      const { Status, CauseChain } = await explain(id), whole = await explain(cluster)
      if (Status?.Phase !== 'Scaling') continue
      looked += new Set(nodes.values()).size > 1 ? 1 : 0
      const [cause] = CauseChain
      assert.deepEqual([cause?.Resource.Kind, cause?.Status?.Phase, nodes.get(cause?.Resource.Id)], ['Node', 'Creating', 'Creating'])
      assert.deepEqual(whole.CauseChain.map(({ Resource, Status: then }) => [Resource.Kind, then?.Phase]), [['NodePool', 'Scaling'], ['Node', 'Creating']])
    }
    assert.ok(looked > 3, `some had come and others not at ${looked} looks`)
  })
})
