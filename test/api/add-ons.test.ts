import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CATALOGUE } from '#test/harness/world/addons.ts'
import { ApiUnderTest } from './api-under-test.ts'

const code = (answer: { body: { ResponseMetadata: { Error?: { Code: string; Message: string } } } }) => answer.body.ResponseMetadata.Error

async function openWithCluster(): Promise<{ api: ApiUnderTest; clusterId: string }> {
  const api = await ApiUnderTest.open({}, { addons: { catalogue: () => CATALOGUE } })
  const clusterId = await api.createCluster('shop', 0)
  await api.makeClusterRun(clusterId)
  return { api, clusterId }
}

test('every cluster has the required add-ons from its first moment; they cannot be deleted, in the words that clients look for', async () => {
  const { api, clusterId } = await openWithCluster()
  const { Items: items } = await api.done('ListAddons', { Filter: { ClusterIds: [clusterId] } })
  assert.deepEqual(items?.map(item => [item['Name'], item['Version'], (item['Status'] as { Phase: string }).Phase]), [['core-dns', '1.12.1', 'Creating']])
  const refused = await api.call('DeleteAddon', { ClusterId: clusterId, Name: 'core-dns', RetainResources: [], CascadingDeleteResources: ['Crd'] })
  assert.equal(code(refused)?.Code, 'OperationDenied.RequiredAddon')
  assert.match(code(refused)?.Message ?? '', /forbidden to delete required addon/)
  const calls = async () => (await api.done('ExplainStatus', { Id: `${clusterId}:core-dns` }) as unknown as { Exits: readonly { readonly By: string; readonly What: string }[] }).Exits.filter(exit => exit.By === 'call').map(exit => exit.What)
  assert.deepEqual(await calls(), [])
  // The provider reads what an add-on that is there has as JSON, and an empty text is none.
  assert.ok(items?.every(item => !('Config' in item)))
  await api.makeAddonRun(clusterId, 'core-dns')
  assert.deepEqual(await calls(), ['UpdateAddonConfig'], 'there is one version of it for the cluster')
  await api.app.close()
})

test('an add-on as the Terraform provider asks for it: member for member what was sent, Config a text that holds JSON', async () => {
  const { api, clusterId } = await openWithCluster()
  const settle = (name: string) => api.makeAddonRun(clusterId, name)
  const find = async () => (await api.done('ListAddons', { Filter: { ClusterIds: [clusterId], Names: ['ingress-nginx'] }, PageNumber: 1, PageSize: 100 })).Items ?? []
  const phase = async () => ((await find())[0]?.['Status'] as { Phase: string } | undefined)?.Phase
  assert.deepEqual(await find(), [])
  const body = { ClusterId: clusterId, Name: 'ingress-nginx', Version: 'v1.1.0', DeployMode: 'Unmanaged', DeployNodeType: 'Node', Config: '{"replicas": 2}', ClientToken: 'once' }
  await api.done('CreateAddon', body)
  await api.done('CreateAddon', body)
  const [made] = await find()
  assert.deepEqual([made?.['Version'], made?.['DeployMode'], made?.['DeployNodeType'], made?.['Config'], made?.['CreateClientToken']], ['v1.1.0', 'Unmanaged', 'Node', '{"replicas": 2}', 'once'])
  assert.deepEqual(made?.['Status'], { Phase: 'Creating', Conditions: [{ Type: 'Progressing' }] })
  assert.equal(code(await api.call('CreateAddon', { ...body, ClientToken: 'twice' }))?.Code, 'Conflict.Name')
  assert.equal(code(await api.call('UpdateAddonVersion', { ClusterId: clusterId, Name: 'ingress-nginx', Version: 'v1.2.0' }))?.Code, 'OperationDenied.AddonStatus')
  await settle('ingress-nginx')
  await api.done('UpdateAddonVersion', { ClusterId: clusterId, Name: 'ingress-nginx', Version: 'v1.2.0' })
  assert.equal(await phase(), 'Updating')
  await settle('ingress-nginx')
  await api.done('UpdateAddonConfig', { ClusterId: clusterId, Name: 'ingress-nginx', Config: '{"replicas": 3}' })
  assert.equal((await find())[0]?.['Config'], '{"replicas": 3}')
  const explained = await api.done('ExplainStatus', { Id: `${clusterId}:ingress-nginx` }) as unknown as { Resource: object; Because: string }
  assert.deepEqual(explained.Resource, { Kind: 'Addon', Id: `${clusterId}:ingress-nginx`, Name: 'ingress-nginx', ClusterId: clusterId })
  await api.done('DeleteAddon', { ClusterId: clusterId, Name: 'ingress-nginx', RetainResources: [], CascadingDeleteResources: ['Crd'] })
  assert.equal(await phase(), 'Deleting')
  // The data source sends its arguments beside the filter.
  assert.deepEqual((await api.done('ListAddons', { Name: 'core-dns', PageNumber: 1, PageSize: 100 })).Items?.map(item => item['Name']), ['core-dns'])
  await api.app.close()
})

test('what cannot be installed is refused with what can', async () => {
  const { api, clusterId } = await openWithCluster()
  const refusal = async (body: object) => code(await api.call('CreateAddon', { ClusterId: clusterId, Name: 'ingress-nginx', ...body }))
  assert.match((await refusal({ Name: 'rocket' }))?.Message ?? '', /there are core-dns, ingress-nginx, log-collector/)
  assert.match((await refusal({ Version: 'v9' }))?.Message ?? '', /v1\.0\.0, v1\.1\.0, v1\.2\.0/)
  assert.match((await refusal({ Version: 'v1.0.0' }))?.Message ?? '', /is for Kubernetes 1\.33, and the cluster runs 1\.3[45]/)
  assert.equal((await refusal({ Config: 'not json' }))?.Code, 'InvalidParameter.Config')
  assert.equal((await refusal({ Config: '[1]' }))?.Code, 'InvalidParameter.Config')
  assert.equal((await refusal({ DeployNodeType: 'VirtualNode' }))?.Code, 'InvalidParameter.DeployNodeType')
  assert.equal((await refusal({ DeployMode: 'Half' }))?.Code, 'InvalidParameter.DeployMode')
  const creating = await api.createCluster('young', 1)
  assert.equal(code(await api.call('CreateAddon', { ClusterId: creating, Name: 'ingress-nginx' }))?.Code, 'OperationDenied.ClusterStatus')
  await api.app.close()
})

test('the catalogue, filtered by what clients send', async () => {
  const { api } = await openWithCluster()
  const names = async (filter: object) => ((await api.done('ListSupportedAddons', { Filter: filter })).Items ?? []).map(item => item['Name'])
  assert.deepEqual(await names({}), ['core-dns', 'ingress-nginx', 'log-collector'])
  assert.deepEqual(await names({ Name: 'nginx' }), ['ingress-nginx'])
  assert.deepEqual(await names({ Necessaries: ['Required'] }), ['core-dns'])
  assert.deepEqual(await names({ Categories: ['Network'], DeployModes: ['Managed'] }), ['ingress-nginx'])
  assert.deepEqual(await names({ 'Versions.Compatibilities.KubernetesVersions': ['1.33'] }), ['ingress-nginx'])
  assert.deepEqual(await names({ PodNetworkModes: ['VpcCniShared'] }), [])
  await api.app.close()
})

test('where nothing can be installed the calls say so', async () => {
  const api = await ApiUnderTest.open()
  const clusterId = await api.createCluster('shop', 0)
  await api.makeClusterRun(clusterId)
  assert.equal(code(await api.call('CreateAddon', { ClusterId: clusterId, Name: 'core-dns' }))?.Code, 'OperationDenied.RegionNotReady')
  assert.deepEqual((await api.done('ListSupportedAddons')).Items, [])
  await api.app.close()
})
