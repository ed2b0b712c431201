/** Removals that something stands in the way of: what they say while it does, who says it too, and that they go on by themselves once it is out of the way. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANY_CLUSTER, FreshRegions } from '#test/harness/fresh-regions.ts'
import type { History } from '#test/harness/simulated-server.ts'

interface Link { readonly Resource: { readonly Kind: string; readonly Id: string; readonly Name: string }; readonly Because: string }
interface Told extends Link { readonly Status: History['Status']; readonly CauseChain: readonly Link[]; readonly Exits: readonly { readonly By: string; readonly What: string }[] }

const ADDON = 'metrics-server'
const pairOf = ({ Status }: Pick<Told, 'Status'>) => `${Status?.Phase}/${Status?.Conditions.map(({ Type }) => Type).join('+')}`

describe('removals that something stands in the way of', () => {
  const regions = new FreshRegions('removal')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (...times: string[]) => times.reduce<Promise<unknown>>((before, time) => before.then(() => regions.step(time)), Promise.resolve())
  const explain = async (Id: string) => await done('ExplainStatus', { Id }) as unknown as Told
  const causesOf = ({ Exits }: Told) => Exits.filter(({ By }) => By === 'cause').map(({ What }) => What)
  const addonsOf = async (cluster: string) => (await done('ListAddons', { Filter: { ClusterIds: [cluster], Names: [ADDON] } })).Items ?? []

  const withAddon = async () => {
    const { cluster } = await regions.server.fleet(regions.region, ['till-1'])
    await done('CreateAddon', { ClusterId: cluster, Name: ADDON, Version: 'v0.8.0' })
    await step('2m')
    return { cluster, id: `${cluster}:${ADDON}`, remove: () => done('DeleteAddon', { ClusterId: cluster, Name: ADDON }) }
  }

  test('an add-on that is removed while its cluster is stopped for arrears says so, and goes by itself once they are paid', async () => {
    const { cluster, id, remove } = await withAddon()
    await done('SetBalance', { Amount: -1 })
    await step('3h')
    await remove()
    await step('1m')
    const waits = await explain(id)
    assert.equal(pairOf(waits), 'Deleting/Progressing')
    assert.match(waits.Because, /its cluster is not running$/)
    await step('8m')
    const late = await explain(id)
    assert.equal(pairOf(late), 'Failed/ResourceCleanupFailed')
    assert.match(late.Because, /^It was not gone 8 min after its removal was asked for.*its cluster is not running$/)
    assert.deepEqual(causesOf(late), ['The debt is paid and its cluster runs again; its removal then goes on.', 'Its cluster goes, with everything that is in it.'])
    await done('SetBalance', { Unlimited: true })
    assert.deepEqual(causesOf(await explain(id)), ['Its cluster runs again; its removal then goes on.', 'Its cluster goes, with everything that is in it.'])
    await step('2m')
    assert.equal(await regions.server.shows('ListClusters', cluster, regions.region), 'Running/Ok')
    assert.deepEqual(await addonsOf(cluster), [])
  })

  test('an add-on whose removal waited for an API that did not answer goes by itself once it does', async () => {
    const { cluster, id, remove } = await withAddon()
    await done('InjectFault', { Port: 'control-plane-host', Call: 'kube-apiserver', Effect: { Type: 'fail' } })
    await remove()
    await step('9m')
    const late = await explain(id)
    assert.equal(pairOf(late), 'Failed/ResourceCleanupFailed')
    assert.match(late.Because, /the API of its cluster does not answer now$/)
    assert.deepEqual(causesOf(late), ['The API of its cluster answers again; its removal then goes on.', 'Its cluster goes, with everything that is in it.'])
    await done('ClearFault', { All: true })
    await step('30m')
    assert.equal(await regions.server.shows('ListClusters', cluster, regions.region), 'Running/Ok')
    assert.deepEqual(await addonsOf(cluster), [])
  })

  test('an API that is down when the account comes into arrears: the add-on says at each time what it waits for', async () => {
    const { cluster, id, remove } = await withAddon()
    await done('SetBalance', { Amount: -1 })
    await step('119m')
    await done('InjectFault', { Port: 'control-plane-host', Call: 'kube-apiserver', Effect: { Type: 'fail' } })
    await remove()
    await step('30s')
    assert.match((await explain(id)).Because, /the API of its cluster does not answer now$/)
    await step('5m')
    assert.match((await explain(id)).Because, /its cluster is not running$/)
    await done('SetBalance', { Unlimited: true })
    await done('ClearFault', { All: true })
    await step('5m')
    assert.deepEqual(await addonsOf(cluster), [])
  })

  const withElastic = async (...names: string[]) => {
    const { Id: cluster = '' } = await done('CreateCluster', ANY_CLUSTER)
    await step('60s')
    for (const Name of names) {
      await done('CreateEdgeNodePool', {
        ClusterId: cluster, Name, NodePoolType: 'edge-machine-pool',
        ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 4, DesiredReplicas: 1, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
      })
    }
    await step('5m')
    return cluster
  }
  /** The last pairs that the cluster showed, oldest first. */
  const lastOfCluster = async (count: number) => (await regions.server.history(regions.region)).filter(({ Kind }) => Kind === 'Cluster').slice(-count).map(({ Status }) => Status ? pairOf({ Status }) : 'gone')
  const deleteCluster = (Id: string) => done('DeleteCluster', { Id, CascadingDeleteResources: ['All'] })

  test('a cluster says at once that a machine of it cannot be removed, names machine and call, and goes once it is asked again', async () => {
    const cluster = await withElastic('burst')
    await done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'protected' } })
    await deleteCluster(cluster)
    await step('1m')
    const [node] = (await done('ListEdgeNodes')).Items ?? []
    const failed = await explain(cluster), first = await explain(String(node?.['Id']))
    assert.equal(pairOf(failed), 'Failed/ResourceCleanupFailed')
    assert.match(failed.Because, new RegExp(`^Node pool burst: Node ${String(node?.['Name'])} is still there: .*machine`))
    assert.ok(failed.Because.endsWith(first.Because), failed.Because)
    assert.deepEqual(failed.CauseChain.map(({ Resource: { Kind, Name } }) => `${Kind} ${Name}`), ['NodePool burst', `Node ${String(node?.['Name'])}`])
    await step('8m')
    assert.equal((await explain(cluster)).Because, failed.Because)

    await done('ClearFault', { All: true })
    await deleteCluster(cluster)
    await step('2m')
    assert.deepEqual(await lastOfCluster(3), ['Failed/ResourceCleanupFailed', 'Deleting/Progressing', 'gone'])
  })

  test('what stands in the way of a cluster is named all together, its own things and those of every pool', async () => {
    const cluster = await withElastic('burst', 'spare')
    for (const Port of ['machines', 'outside']) await done('InjectFault', { Port, Call: 'ensureGone', Effect: { Type: 'protected' } })
    await deleteCluster(cluster)
    await step('3m')
    const { Because } = await explain(cluster)
    assert.match(Because, /load balancer.*; Node pool burst: Node .*; Node pool spare: Node /i)
  })

  test('a pool that is only slow makes no failure of its cluster, which is gone in time', async () => {
    const cluster = await withElastic('burst')
    await done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'slow', For: '5m' } })
    await deleteCluster(cluster)
    await step('10m')
    assert.deepEqual(await lastOfCluster(2), ['Deleting/Progressing', 'gone'])
  })

  for (const { port, still } of [{ port: 'outside', still: ['LoadBalancer', 'Nat', 'SecurityGroup'] }, { port: 'control-plane-host', still: ['ControlPlane', 'Network'] }]) {
    test(`what is still seen though its provider said that it is gone stays in the ledger until it is: ${port}`, async () => {
      const { Id = '' } = await done('CreateCluster', { ...ANY_CLUSTER, ClusterConfig: { SubnetIds: ['subnet-shop'], ResourcePublicAccessDefaultEnabled: true } })
      await step('60s')
      const made = (await done('ListLedger')).Items ?? [], all = ['LoadBalancer', 'Nat', 'SecurityGroup', 'ControlPlane', 'Network']
      await done('InjectFault', { Port: port, Call: 'ensureGone', Effect: { Type: 'lie' } })
      await deleteCluster(Id)
      for (const time of ['10s', '9m', '10m']) {
        await step(time)
        const { Items: rows = [] } = await done('ListLedger', { Filter: { States: ['Held', 'Releasing', 'Released'] } })
        const said = Object.fromEntries(rows.map(({ Kind, State }) => [Kind, State]))
        assert.deepEqual(all.map(kind => [kind, said[kind]]), all.map(kind => [kind, still.includes(kind) ? 'Releasing' : 'Released']), time)
        assert.equal(rows.length, made.length)
        // Once it is given up, somebody asks for it again.
        if (time === '9m') await deleteCluster(Id)
      }
      await done('ClearFault', { All: true })
      await deleteCluster(Id)
      await step('1m')
      assert.deepEqual([await lastOfCluster(2), (await done('ListLedger')).Items], [['Deleting/Progressing', 'gone'], []])
    })
  }
})
