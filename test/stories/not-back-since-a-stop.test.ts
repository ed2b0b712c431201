import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FreshRegions, pairOf } from '#test/harness/fresh-regions.ts'

interface Explained { readonly Because: string; readonly StaleSince?: string; readonly Evidence: readonly { readonly Fact: string }[]; readonly CauseChain: readonly { readonly Resource: { readonly Kind: string }; readonly Because: string }[]; readonly Exits: readonly { readonly By: string; readonly What: string }[] }

const API = { Port: 'control-plane-host', Call: 'kube-apiserver' }, LOOK = { Port: 'control-plane-host', Call: 'look' }
const DOWN = 'Failed/ClusterNotRunning'

describe('what a stop has pushed down comes back once its cluster was seen working again, and not by a start that fails', () => {
  const regions = new FreshRegions('not-back')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)

  async function begin() {
    const ClusterId = await regions.cluster()
    const { Id: pool = '' } = await done('CreateEdgeNodePool', { ClusterId, Name: 'counters' })
    await step('2m')
    const dns = `${ClusterId}:core-dns`
    const shown = async () => await Promise.all([['ListClusters', ClusterId], ['ListEdgeNodePools', pool]].map(async ([list = '', id = '']) => await regions.server.shows(list, id, regions.region)))
    const addon = async () => ((await done('ListAddons')).Items ?? []).map(pairOf)
    const pays = async () => {
      await done('SetBalance', { Unlimited: true })
      await step('30m')
    }
    const stops = async () => {
      await done('SetBalance', { Amount: -1 })
      await step('3h')
      assert.deepEqual([...await shown(), ...await addon()], ['Stopped/Balance', DOWN, DOWN])
    }
    const told = async (Id: string) => ((await done('ListStatusHistory', { Filter: { Ids: [Id] }, PageSize: 100 })).Items ?? []).map(row => (row['Status'] ? pairOf(row) : 'gone')).toReversed()
    const why = async (Id: string) => await done('ExplainStatus', { Id }) as unknown as Explained
    return { ClusterId, pool, dns, shown: async () => [...await shown(), ...await addon()], stops, pays, told, why }
  }

  for (const [what, fault, cause] of [
    ['its API does not start', { ...API, Effect: { Type: 'fail', Message: 'panic' } }, 'Cluster: Its control plane was not usable'],
    ['nobody can look at it', { ...LOOK, Effect: { Type: 'fail', Message: 'no route to host' } }, 'Cluster: Its control plane was not seen usable'],
  ] as const) {
    test(`where ${what}: it says so, and what helps, through another stop, until the cluster runs`, async () => {
      const { ClusterId, pool, dns, shown, stops, pays, told, why } = await begin()
      await stops()
      const { Id } = await done('InjectFault', fault)
      await pays()
      for (const id of [pool, dns]) {
        const { Because, StaleSince, Evidence, CauseChain, Exits } = await why(id)
        assert.equal(Because, 'Its cluster was stopped for arrears, and has not been seen working since')
        assert.deepEqual([StaleSince, Evidence.map(({ Fact }) => Fact), CauseChain.map(link => `${link.Resource.Kind}: ${link.Because.replace(/ 15 min after.*/, '')}`)], [undefined, [Because], [cause]])
        assert.deepEqual(Exits.map(({ By, What }) => `${By}: ${What}`), ['cause: Its cluster is running again.', 'call: DeleteCluster'])
      }
      assert.deepEqual(await shown(), ['Failed/Unknown', DOWN, DOWN])
      for (const [action, body] of [['CreateEdgeNodePool', { ClusterId, Name: 'more' }], ['CreateAddon', { ClusterId, Name: 'ingress-nginx' }], ['DeleteNodePool', { ClusterId, Id: pool }]] as const) {
        await assert.rejects(done(action, body), /OperationDenied\.ClusterStatus.*did not start after payment/, action)
      }
      await done('SetBalance', { Amount: -1 })
      await step('3h')
      await pays()
      assert.deepEqual(await shown(), ['Failed/Unknown', DOWN, DOWN])
      await done('ClearFault', { Id })
      await step('1d')
      assert.deepEqual(await shown(), ['Running/Ok', 'Running/Ok', 'Failed/SchedulingFailed'])
      assert.equal((await told(pool)).filter(pair => pair === DOWN).length, 1, 'never anything else until then')
    })
  }

  test('it goes with its cluster', async () => {
    const { ClusterId, pool, shown, stops, pays, told } = await begin()
    await stops()
    await done('InjectFault', { ...API, Effect: { Type: 'fail' } })
    await pays()
    await done('DeleteCluster', { Id: ClusterId, CascadingDeleteResources: ['All'] })
    await step('10m')
    assert.deepEqual(await shown(), ['absent', 'absent'])
    assert.deepEqual((await told(pool)).slice(-3), [DOWN, 'Deleting/Progressing', 'gone'])
  })

  test('a cluster that fails without a stop pushes nothing down, and takes it along once it is stopped', async () => {
    const { shown, stops, pays } = await begin()
    await done('InjectFault', { ...API, Effect: { Type: 'fail' } })
    await step('30m')
    assert.deepEqual(await shown(), ['Failed/Unknown', 'Running/Ok', 'Failed/SchedulingFailed'])
    await stops()
    await pays()
    assert.deepEqual(await shown(), ['Failed/Unknown', DOWN, DOWN])
  })
})
