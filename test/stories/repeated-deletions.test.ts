import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANY_CLUSTER, FreshRegions } from '#test/harness/fresh-regions.ts'

describe('a deletion whose answer was lost is sent again with its ClientToken, and has the first result also when what it deleted is gone', () => {
  const regions = new FreshRegions('repeated-deletions')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const call = (action: string, body: object) => regions.server.call(action, body, regions.region)

  /** Once, and when it is over once more; with another token the thing is not there, and with other parameters the token is refused. */
  async function deleteTwice(action: string, body: object, others: object, code: string): Promise<void> {
    const sent = { ...body, ClientToken: `token of ${action}` }
    const first = await done(action, sent)
    await regions.step('10m')
    const { code: refusal, result } = await call(action, sent)
    assert.deepEqual([action, refusal, result], [action, undefined, first])
    assert.equal((await call(action, body)).code, code)
    assert.equal((await call(action, { ...sent, ...others })).code, 'IdempotentParameterMismatch')
  }

  test('nodes of a pool of the edge, and the pool', async () => {
    const { ClusterId, NodePoolId, to } = await regions.machinePool()
    await to(2)
    await regions.step('5m')
    const [one, other] = (await regions.nodes()).map(({ Id }) => Id)
    const place = { ClusterId, NodePoolId }
    await deleteTwice('DeleteEdgeNodes', { ...place, Ids: [one], CascadingDeleteResources: ['Ecs'] }, { Ids: [other] }, 'NotFound.Node')
    await deleteTwice('ScaleDownEdgeNodePool', { ...place, NodeIds: [other] }, { NodeIds: [one] }, 'NotFound.Node')
    await deleteTwice('DeleteNodePool', { ClusterId, Id: NodePoolId, CascadingDeleteResources: ['Ecs'] }, { CascadingDeleteResources: [] }, 'NotFound.NodePool')
  })

  test('servers of a central pool', async () => {
    const { Id: ClusterId = '' } = await done('CreateCluster', ANY_CLUSTER)
    await regions.step('60s')
    const { Id: NodePoolId } = await done('CreateDefaultNodePool', { ClusterId })
    const { Ids = [] } = await done('CreateNodes', { ClusterId, InstanceIds: ['i-one', 'i-other'] }) as { Ids?: readonly string[] }
    await regions.step('5m')
    await deleteTwice('DeleteNodes', { ClusterId, NodePoolId, Ids: Ids.slice(0, 1) }, { Ids: Ids.slice(1) }, 'NotFound.Node')
  })

  test('an add-on, which may be made again meanwhile and stays then', async () => {
    const { ClusterId, to } = await regions.machinePool()
    await to(1)
    await done('CreateAddon', { ClusterId, Name: 'ingress-nginx' })
    await regions.step('5m')
    const addon = { ClusterId, Name: 'ingress-nginx' }, sent = { ...addon, ClientToken: 'token of DeleteAddon' }
    await deleteTwice('DeleteAddon', addon, { CascadingDeleteResources: ['Crd'] }, 'NotFound.Addon')
    await done('CreateAddon', addon)
    await regions.step('5m')
    await done('DeleteAddon', sent)
    await regions.step('5m')
    assert.equal((await done('ListAddons', { Filter: { Names: ['ingress-nginx'] } })).TotalCount, 1)
  })

  test('a kubeconfig', async () => {
    const { Id: ClusterId = '' } = await done('CreateCluster', ANY_CLUSTER)
    await regions.step('60s')
    const { Id } = await done('CreateKubeconfig', { ClusterId, Type: 'Public', ValidDuration: 24 })
    await deleteTwice('DeleteKubeconfigs', { ClusterId, Ids: [Id] }, { Ids: ['another'] }, 'NotFound.Kubeconfig')
  })

  test('but a cluster takes its tokens along: the deletion that is sent again says that it is gone, and another cluster is deleted with the same token', async () => {
    const create = async () => {
      const { Id = '' } = await done('CreateCluster', { ...ANY_CLUSTER, ClientToken: 'token of CreateCluster' })
      await regions.step('60s')
      return Id
    }
    const sent = (Id: string) => ({ Id, CascadingDeleteResources: ['All'], ClientToken: 'token of DeleteCluster' })
    const first = await create()
    await done('DeleteCluster', sent(first))
    await regions.step('10m')
    const { code, status } = await call('DeleteCluster', sent(first))
    assert.deepEqual([code, status], ['NotFound.Cluster', 404])
    const second = await create()
    assert.notEqual(second, first)
    await done('DeleteCluster', sent(second))
  })
})
