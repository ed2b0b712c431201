/** The calls of pools of every kind; over three hundred lines, since they share one API and what of it each kind refuses is read side by side. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { suite, test } from 'node:test'
import { isAwaited, isOutOfSync } from '#model/node-pool/node-config.ts'
import { targetOf } from '#model/node-pool/scaling.ts'
import type { Answer, ApiUnderTest } from './api-under-test.ts'
import { forgetWithChildren } from './play-controllers.ts'
import { centralBody, directly, elasticBody, openSmallWorld } from './small-world.ts'
import { machinesOwnedBy } from '#test/harness/owned-machines.ts'

const SCOPE = { accountId: '2100000001', region: 'local-1' }
const code = ({ body }: Answer) => body.ResponseMetadata.Error?.Code
const phaseOf = (item: Record<string, unknown>) => (item['Status'] as { Phase: string }).Phase

/** Scaling as the record has it: what the pool wants, and what callers last sent. */
async function wants(api: ApiUnderTest, poolId: string): Promise<{ target: number; sent: number; open: number }> {
  const pool = await api.store.findNodePool(poolId)
  assert.ok(pool?.spec.scaling)
  return { target: targetOf(pool.spec.scaling), sent: pool.spec.scaling.sentDesiredReplicas, open: pool.facts.openClaims }
}

async function listed(api: ApiUnderTest, action: string, id: string): Promise<Record<string, unknown>> {
  const { Items = [], TotalCount } = await api.done(action, { Filter: { Ids: [id] } })
  assert.equal(TotalCount, 1, `${action} lists ${id}`)
  return Items[0] ?? {}
}

/** Nodes of a pool that the pool itself has ordered, as its controller makes them. */
async function grown(api: ApiUnderTest, clusterId: string, poolId: string, names: readonly string[]): Promise<readonly string[]> {
  const ids: string[] = []
  for (const name of names) {
    const id = await api.joinNode(clusterId, poolId, name)
    await api.store.write(api.now, async tx => {
      const node = await tx.lockNode(id)
      if (node) await tx.changeNode(id, { spec: { ...node.spec, machine: `m-${name}` } }, { evidence: [] })
    })
    ids.push(id)
  }
  return ids
}

suite('elastic pools', () => {
  test('are echoed as they were sent, and found by what they are', async () => {
    const { api, plantId, nodePoolId, elasticPoolId, centralPoolId } = await openSmallWorld()
    const sent = { ...elasticBody(plantId, 'rich', { MaxReplicas: 5, Mode: 'Recycle' }), KubernetesConfig: { Labels: [{ Key: 'a', Value: 'b' }], Taints: [] } }
    const id = (await api.done('CreateEdgeNodePool', sent)).Id ?? ''
    const pool = await listed(api, 'ListEdgeNodePools', id)
    assert.partialDeepStrictEqual(pool, { ...sent, Type: 'edge-machine-pool', Profile: 'Edge', Status: { Phase: 'Creating' } }, 'NodePoolType too, without which one that was imported would be replaced')
    for (const member of ['BillingConfigs', 'ClientToken']) assert.ok(!(member in pool), member)
    const { ElasticConfig: plain } = await listed(api, 'ListEdgeNodePools', elasticPoolId)
    assert.ok(!('Mode' in (plain as { AutoScaleConfig: object }).AutoScaleConfig), 'Mode is echoed only if it was sent')
    assert.deepEqual([(await listed(api, 'ListEdgeNodePools', centralPoolId))['Type'], (await listed(api, 'ListEdgeNodePools', nodePoolId))['ElasticConfig']], ['machine-set', undefined])

    const found = async (body: object) => (await api.done('ListEdgeNodePools', body)).Items?.map(item => item['Name']).toSorted().join()
    assert.equal(await found({ Filter: { 'AutoScaling.Enabled': true } }), 'burst,rich')
    assert.equal(await found({ Filter: { 'AutoScaling.Enabled': 'false' } }), 'central,counters')
    assert.equal(await found({ AddByScript: true }), 'counters')
    assert.equal(await found({ AddByAuto: 'true' }), 'burst,central,rich')
    assert.equal(await found({ AddByList: true, Filter: { NodePoolTypes: ['edge-machine-pool'] } }), 'burst,rich')
    assert.equal(await found({ AddByScript: true, AddByAuto: true }), '')
    assert.equal(await found({ AddByScript: false, Filter: { NodePoolTypes: ['machine-set'] } }), 'central')
    await api.app.close()
  })

  test('claim their machines as soon as they are there', async () => {
    const { api, plantId } = await openSmallWorld()
    const id = (await api.done('CreateEdgeNodePool', elasticBody(plantId, 'three', { MinReplicas: 2, DesiredReplicas: 3 }))).Id ?? ''
    assert.equal(phaseOf(await listed(api, 'ListEdgeNodePools', id)), 'Creating')
    assert.deepEqual(await wants(api, id), { target: 3, sent: 3, open: 3 })
    await api.store.write(api.now, async tx => {
      const pool = await tx.lockNodePool(id)
      if (pool) await tx.changeNodePool(id, { facts: { ...pool.facts, ready: true } }, { evidence: [] })
    })
    assert.equal(phaseOf(await listed(api, 'ListEdgeNodePools', id)), 'Scaling')
    await api.app.close()
  })

  test('who owns DesiredReplicas: scaling up, down, and updates that send it every time', async () => {
    const { api, plantId, elasticNodeId } = await openSmallWorld()
    const id = (await api.done('CreateEdgeNodePool', elasticBody(plantId, 'tide', { DesiredReplicas: 2 }))).Id ?? ''
    await api.makePoolRun(id)
    const nodes = await grown(api, plantId, id, ['tide-1', 'tide-2'])
    const pool = { ClusterId: plantId, NodePoolId: id }
    const update = async (scaling: object) => {
      await api.done('UpdateEdgeNodePoolConfig', { ClusterId: plantId, Id: id, KubernetesConfig: { Labels: [], Taints: [] }, ElasticConfig: elasticBody(plantId, '', scaling)['ElasticConfig'] })
      await api.makePoolRun(id)
    }

    await api.done('ScaleUpEdgeNodePool', { ...pool, DesiredReplicas: 5 })
    assert.deepEqual(await wants(api, id), { target: 5, sent: 5, open: 3 })
    const shown = await listed(api, 'ListEdgeNodePools', id)
    assert.deepEqual([phaseOf(shown), (shown['ElasticConfig'] as { AutoScaleConfig: { DesiredReplicas: number } }).AutoScaleConfig.DesiredReplicas], ['Scaling', 5])
    await api.makePoolRun(id)

    await api.done('ScaleDownEdgeNodePool', { ...pool, NodeIds: [nodes[0]] })
    assert.deepEqual([await wants(api, id).then(one => [one.target, one.sent]), (await api.store.findNode(nodes[0] ?? ''))?.facts.deletion?.machine], [[4, 5], 'Destroy'])
    assert.equal((await api.store.findNode(nodes[1] ?? ''))?.facts.deletion, undefined)
    await api.done('ScaleDownEdgeNodePool', { ...pool, NodeIds: [nodes[0]] })
    assert.equal((await wants(api, id)).target, 4, 'a node that is going was counted already')
    await forgetWithChildren(api, nodes[0] ?? '')

    await update({ DesiredReplicas: 5 })
    assert.equal((await wants(api, id)).target, 4, 'the value last sent is no request')
    await update({ DesiredReplicas: 5, MaxReplicas: 20 })
    assert.equal((await wants(api, id)).target, 4, 'an unrelated change never resizes')
    await update({ DesiredReplicas: 6, MaxReplicas: 20 })
    assert.deepEqual(await wants(api, id).then(one => [one.target, one.sent]), [6, 6])
    await update({ DesiredReplicas: 6, MaxReplicas: 3 })
    assert.equal((await wants(api, id)).target, 3)
    await update({ DesiredReplicas: 6, MinReplicas: 7, MaxReplicas: 9 })
    assert.equal((await wants(api, id)).target, 7)

    assert.equal(code(await api.call('ScaleDownEdgeNodePool', { ...pool, NodeIds: [elasticNodeId] })), 'ParameterOutOfRange.NodePoolId', 'a node of another pool')
    await api.app.close()
  })

  test('what no pool can have is refused, and what only elastic ones have', async () => {
    const { api, clusterId, nodePoolId, plantId, elasticPoolId, centralPoolId } = await openSmallWorld()
    for (const [name, value] of Object.entries({ MinReplicas: 2001, MaxReplicas: 0, DesiredReplicas: 65_536, Priority: 101, Mode: 'Sometimes' }))
      assert.equal(code(await api.call('CreateEdgeNodePool', elasticBody(plantId, 'bad', { [name]: value }))), `InvalidParameter.ElasticConfig.AutoScaleConfig.${name}`)
    assert.equal(code(await api.call('CreateEdgeNodePool', elasticBody(plantId, 'bad', { MinReplicas: 4, MaxReplicas: 3 }))), 'InvalidParameter.ElasticConfig.AutoScaleConfig.MinReplicas')
    for (const DesiredReplicas of [-1, 65_536, 1.5]) assert.equal(code(await api.call('ScaleUpEdgeNodePool', { ClusterId: plantId, NodePoolId: elasticPoolId, DesiredReplicas })), 'InvalidParameter.DesiredReplicas')
    for (const [ClusterId, NodePoolId] of [[clusterId, nodePoolId], [plantId, centralPoolId]]) assert.equal(code(await api.call('ScaleUpEdgeNodePool', { ClusterId, NodePoolId, DesiredReplicas: 1 })), 'InvalidParameter.NodePoolId')
    assert.equal(code(await api.call('UpdateEdgeNodePoolConfig', { ClusterId: clusterId, Id: nodePoolId, ElasticConfig: {} })), 'InvalidParameter.ElasticConfig')
    assert.equal(code(await api.call('UpdateEdgeNodePoolConfig', { ClusterId: plantId, Id: centralPoolId, Name: 'x1' })), 'InvalidParameter.Id')
    assert.equal(code(await api.call('UpdateNodePoolConfig', { ClusterId: plantId, Id: elasticPoolId, Name: 'x1' })), 'InvalidParameter.Id')
    assert.equal(code(await api.call('CreateBatchEdgeMachine', { ClusterId: plantId, NodePoolId: elasticPoolId, TTLHours: 1 })), 'InvalidParameter.NodePoolId')
    await api.app.close()
  })
})

suite('central pools', () => {
  test('are echoed with their defaults, never with a password', async () => {
    const { api, plantId } = await openSmallWorld()
    const body = {
      ...centralBody(plantId, 'servers'), AutoScaling: { MaxReplicas: 5, Priority: 5, SubnetPolicy: 'ZoneBalance' }, Tags: [{ Key: 'team', Value: 'shops' }],
      KubernetesConfig: { Cordon: true, Labels: [{ Key: 'colour', Value: 'blue' }], Taints: [{ Key: 'only/central', Value: 'yes', Effect: 'NoSchedule' }] },
    }
    const id = (await api.done('CreateNodePool', body)).Id ?? ''
    const pool = await listed(api, 'ListNodePools', id)
    assert.partialDeepStrictEqual(pool, {
      Name: 'servers', ClusterId: plantId, Status: { Phase: 'Creating', Conditions: [{ Type: 'Progressing' }] },
      AutoScaling: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 0, Priority: 5, SubnetPolicy: 'ZoneBalance' },
      NodeConfig: {
        InstanceTypeIds: ['ecs.c1ie.xlarge'], SubnetIds: ['subnet-1'], SystemVolume: { Type: 'ESSD_PL0', Size: 40 }, DataVolumes: [], InstanceChargeType: 'PostPaid', AutoRenew: false, Tags: [],
        Security: { SecurityGroupIds: ['sg-1'], SecurityStrategies: ['Hids'], Login: { Type: 'Password', SshKeyPairName: '' } },
      },
      KubernetesConfig: body.KubernetesConfig, Tags: [{ Key: 'team', Value: 'shops', Type: 'Custom' }],
    })
    assert.ok(!JSON.stringify([pool, await api.store.findNodePool(id)]).includes('UHdkMTIzNDU2'), 'the password is kept nowhere')
    assert.ok(!('ClientToken' in pool))
    for (const Tags of [[{ Key: 'team' }], [{ Key: ' team ', Value: 'shops ' }]]) assert.equal((await api.done('ListNodePools', { Tags })).TotalCount, 1)
    assert.equal((await api.done('ListNodePools', { Filter: { ClusterIds: [plantId] } })).TotalCount, 2, 'edge pools are not among them')

    await api.makePoolRun(id)
    await api.done('UpdateNodePoolConfig', { ClusterId: plantId, Id: id, AutoScaling: { Enabled: true, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 2, Priority: 5, SubnetPolicy: 'Priority' }, NodeConfig: { Security: { SecurityStrategies: [] }, DataVolumes: [{ Size: 60, MountPoint: '/data' }] } })
    assert.partialDeepStrictEqual(await listed(api, 'ListNodePools', id), {
      AutoScaling: { Enabled: true, DesiredReplicas: 2, SubnetPolicy: 'Priority' },
      NodeConfig: { SubnetIds: ['subnet-1'], Security: { SecurityGroupIds: ['sg-1'], SecurityStrategies: [], Login: { Type: 'Password' } }, DataVolumes: [{ Type: 'ESSD_PL0', Size: 60, MountPoint: '/data' }] },
    })
    await api.done('UpdateNodePoolConfig', { ClusterId: plantId, Id: id, NodeConfig: { Security: { SecurityGroupIds: ['sg-2'] } } })
    assert.partialDeepStrictEqual(await listed(api, 'ListNodePools', id), { NodeConfig: { Security: { SecurityGroupIds: ['sg-2'], SecurityStrategies: [], Login: { Type: 'Password' } } } })
    assert.deepEqual(await wants(api, id), { target: 2, sent: 2, open: 2 })
    await api.app.close()
  })

  test('bad values of nested members are refused by their path', async () => {
    const { api, plantId } = await openSmallWorld()
    const config = centralBody(plantId, '')['NodeConfig'] as Record<string, unknown>
    const create = async (change: object) => code(await api.call('CreateNodePool', { ...centralBody(plantId, 'bad'), NodeConfig: { ...config, ...change } }))
    assert.equal(await create({ InstanceTypeIds: [] }), 'MissingParameter.NodeConfig.InstanceTypeIds')
    assert.equal(await create({ SubnetIds: null }), 'MissingParameter.NodeConfig.SubnetIds')
    assert.equal(await create({ Security: null }), 'MissingParameter.NodeConfig.Security')
    assert.equal(await create({ SystemVolume: { Size: 19 } }), 'InvalidParameter.NodeConfig.SystemVolume.Size')
    assert.equal(await create({ DataVolumes: [{ MountPoint: 'data' }] }), 'InvalidParameter.NodeConfig.DataVolumes.MountPoint')
    assert.equal(await create({ Security: { Login: { Password: 'not base64!' } } }), 'InvalidParameter.NodeConfig.Security.Login.Password')
    assert.equal(await create({ Security: { SecurityStrategies: ['Nids'] } }), 'InvalidParameter.NodeConfig.Security.SecurityStrategies')
    assert.equal(await create({ HpcClusterIds: ['hpc-1', 'hpc-2'] }), 'InvalidParameter.NodeConfig.HpcClusterIds')
    assert.equal(await create({ InstanceChargeType: 'Free' }), 'InvalidParameter.NodeConfig.InstanceChargeType')
    assert.equal(await create({ InstanceChargeType: 'PrePaid', Period: 10 }), 'InvalidParameter.NodeConfig.Period')
    const prepaid = { ...centralBody(plantId, 'paid'), NodeConfig: { ...config, InstanceChargeType: 'PrePaid' } }
    assert.equal(code(await api.call('CreateNodePool', { ...prepaid, AutoScaling: { Enabled: true } })), 'InvalidParameter.AutoScaling')
    const id = (await api.done('CreateNodePool', prepaid)).Id ?? ''
    assert.partialDeepStrictEqual((await listed(api, 'ListNodePools', id))['NodeConfig'], { Period: 12, AutoRenew: true, AutoRenewPeriod: 1 })
    await api.makePoolRun(id)
    const update = async (change: object) => code(await api.call('UpdateNodePoolConfig', { ClusterId: plantId, Id: id, ...change }))
    assert.equal(await update({ AutoScaling: { Enabled: true } }), 'InvalidParameter.AutoScaling', 'nor later')
    await api.done('UpdateNodePoolConfig', { ClusterId: plantId, Id: id, AutoScaling: { Enabled: true }, NodeConfig: { InstanceChargeType: 'PostPaid', AutoRenew: false } })
    await api.makePoolRun(id)
    assert.equal(await update({ NodeConfig: { InstanceChargeType: 'PrePaid' } }), 'InvalidParameter.NodeConfig.InstanceChargeType')
    await api.done('UpdateNodePoolConfig', { ClusterId: plantId, Id: id, AutoScaling: { Enabled: false }, NodeConfig: { InstanceChargeType: 'PrePaid', AutoRenew: false } })
    assert.partialDeepStrictEqual((await listed(api, 'ListNodePools', id))['NodeConfig'], { InstanceChargeType: 'PrePaid', AutoRenew: false })
    await api.app.close()
  })

  test('a server becomes a node, its machine and its claim in one moment', async () => {
    const { api, plantId, centralPoolId } = await openSmallWorld()
    const pool = { ClusterId: plantId, NodePoolId: centralPoolId }
    const body = { ...pool, InstanceIds: ['i-a', 'i-b'], KeepInstanceName: true, ImageId: 'image-7', ClientToken: 'once' }
    const { Ids = [] } = await api.done('CreateNodes', body)
    assert.deepEqual((await api.done('CreateNodes', body)).Ids, Ids, 'the same token answers the same nodes')
    assert.equal(code(await api.call('CreateNodes', { ...body, InstanceIds: ['i-c'] })), 'IdempotentParameterMismatch')
    assert.equal(phaseOf(await listed(api, 'ListNodePools', centralPoolId)), 'Scaling')
    const node = await listed(api, 'ListNodes', Ids[0] ?? '')
    assert.partialDeepStrictEqual(node, { Name: 'i-a', MetadataName: 'i-a', InstanceId: 'i-a', NodePoolId: centralPoolId, ImageId: 'image-7', Roles: ['Worker'], IsVirtual: false, CreateClientToken: 'once', Status: { Phase: 'Creating', Conditions: [{ Type: 'Progressing' }] } })
    assert.deepEqual((await api.done('ListNodes', { Filter: { InstanceIds: ['i-b'], NodePoolIds: [centralPoolId] } })).Items?.map(item => item['Id']), [Ids[1]])

    const [machine] = await machinesOwnedBy(api.store, 'local-1', { nodeId: Ids[0] ?? '' })
    assert.partialDeepStrictEqual(machine, { name: 'i-a', power: 'on', ownedBy: { nodeId: Ids[0], nodePoolId: centralPoolId, clusterId: plantId }, template: { instanceId: 'i-a', nodeConfig: { ImageId: 'image-7' } } })
    assert.match(machine?.address ?? '', /^10\.213\.128\.\d+$/)
    const { firstBoot = '' } = await api.store.findMachine(machine?.id ?? '') ?? {}
    const token = /token=([\w-]{32})/.exec(firstBoot)?.[1] ?? ''
    assert.equal((await api.store.findNodeToken(hash('sha256', token, 'hex')))?.nodeId, Ids[0])
    const { items } = await api.store.listLedger(SCOPE, { ownerIds: [...Ids] }, { number: 1, size: 10 })
    assert.deepEqual(items.map(entry => [entry.kind, entry.state, entry.owner.kind]), [['Machine', 'Intended', 'Node'], ['Machine', 'Intended', 'Node']])
    assert.deepEqual((await api.done('ListLedger', { Filter: { OwnerIds: [Ids[0]] } })).Items?.map(entry => entry['Owner']), [{ Kind: 'Node', Id: Ids[0], Name: 'i-a', ClusterId: plantId }])
    const { Items: [shown] = [] } = await api.done('ListMachines', { Filter: { Names: ['i-a'] } })
    assert.partialDeepStrictEqual(shown, { NodeId: Ids[0], OwnedBy: { Kind: 'NodePool', Id: centralPoolId, Name: 'central', ClusterId: plantId } })
    assert.deepEqual(await wants(api, centralPoolId).then(one => [one.target, one.sent]), [3, 0])
    await api.app.close()
  })

  test('a server is one node at most; a kept one comes again, set up anew', async () => {
    const { api, plantId, centralPoolId, centralNodeId, machineId } = await openSmallWorld()
    const pool = { ClusterId: plantId, NodePoolId: centralPoolId }
    assert.equal(code(await api.call('CreateNodes', { ...pool, InstanceIds: ['i-0001'] })), 'Conflict.InstanceIds')
    assert.equal(code(await api.call('CreateNodes', { ...pool, InstanceIds: [machineId] })), 'InvalidParameter.InstanceIds')
    const [old] = await machinesOwnedBy(api.store, 'local-1', { nodeId: centralNodeId })
    // As the node's controller leaves it after a deletion that keeps the server.
    await forgetWithChildren(api, centralNodeId)
    await api.store.write(api.now, tx => tx.changeMachine(old?.id ?? '', { ownedBy: null }))
    const [again = ''] = (await api.done('CreateNodes', { ...pool, InstanceIds: ['i-0001'] })).Ids ?? []
    assert.equal((await listed(api, 'ListNodes', again))['InstanceId'], 'i-0001')
    const [next] = await machinesOwnedBy(api.store, 'local-1', { nodeId: again })
    assert.deepEqual([next?.template?.replaces, (await api.store.findMachine(old?.id ?? ''))?.deletionRequestedAt], [old?.id, undefined], 'the old machine goes once the new one is there')
    await api.app.close()
  })

  test('a server is one node at most by whichever of its names it is asked for, and shows its own', async () => {
    const { api, plantId, centralPoolId, centralNodeId, elasticPoolId } = await openSmallWorld()
    const add = (...InstanceIds: string[]) => api.call('CreateNodes', { ClusterId: plantId, NodePoolId: centralPoolId, InstanceIds, KeepInstanceName: true })
    const [{ id: old } = { id: '' }] = await machinesOwnedBy(api.store, 'local-1', { nodeId: centralNodeId })
    await forgetWithChildren(api, centralNodeId)
    await api.store.write(api.now, tx => tx.changeMachine(old, { ownedBy: null }))
    const twice = await add('i-0001', old)
    assert.deepEqual([code(twice), (await api.store.findMachine(old))?.deletionRequestedAt], ['InvalidParameter.InstanceIds', undefined])
    assert.match(twice.text, new RegExp(`i-0001 and ${old} are the same server`))
    const ClusterId = plantId, NodePoolId = centralPoolId
    const edge = await api.call('CreateEdgeNode', { ClusterId, NodePoolId: elasticPoolId, AutoCompleteConfig: directly(old, 'i-0001') })
    assert.deepEqual([code(edge), (await api.store.findMachine(old))?.deletionRequestedAt], ['InvalidParameter.AutoCompleteConfig.DirectAddInstances', undefined])
    const [again = ''] = (await api.done('CreateNodes', { ClusterId, NodePoolId, InstanceIds: [old], KeepInstanceName: true })).Ids ?? []
    assert.partialDeepStrictEqual(await listed(api, 'ListNodes', again), { InstanceId: 'i-0001' })
    assert.match(String((await listed(api, 'ListNodes', again))['Name']), /^i-0001/)
    // While the old machine is there, and after it.
    assert.deepEqual([code(await add('i-0001')), code(await add(old))], ['Conflict.InstanceIds', 'Conflict.InstanceIds'])
    await api.store.write(api.now, tx => tx.forgetMachine(old))
    assert.equal(code(await add('i-0001')), 'Conflict.InstanceIds')
    await api.app.close()
  })

  test('by hand only where nothing scales by itself, and not beyond MaxReplicas', async () => {
    const { api, plantId, centralPoolId, elasticPoolId } = await openSmallWorld()
    const pool = { ClusterId: plantId, NodePoolId: centralPoolId }
    assert.equal(code(await api.call('CreateNodes', { ...pool, InstanceIds: Array.from({ length: 10 }, (_, index) => `i-q${index}`) })), 'QuotaExceeded.Node')
    assert.equal(code(await api.call('CreateNodes', { ClusterId: plantId, NodePoolId: elasticPoolId, InstanceIds: ['i-x'] })), 'InvalidParameter.NodePoolId')
    await api.makePoolRun(centralPoolId)
    await forgetWithChildren(api, (await api.done('ListNodes', { Filter: { InstanceIds: ['i-0001'] } })).Items?.[0]?.['Id'] as string)
    await api.done('UpdateNodePoolConfig', { ClusterId: plantId, Id: centralPoolId, AutoScaling: { Enabled: true } })
    await api.makePoolRun(centralPoolId)
    assert.equal(code(await api.call('CreateNodes', { ...pool, InstanceIds: ['i-x'] })), 'OperationDenied.AutoScaling')
    await api.app.close()
  })

  test('the default pool takes what names none, and there is one a cluster', async () => {
    const { api, plantId, centralPoolId } = await openSmallWorld()
    const answer = await api.call('CreateNodes', { ClusterId: plantId, InstanceIds: ['i-d'] })
    assert.deepEqual([answer.status, code(answer)], [400, 'NotFound.DefaultNodePool'])
    const id = (await api.done('CreateDefaultNodePool', { ClusterId: plantId, NodeConfig: { NamePrefix: 'default', Security: { Login: { SshKeyPairName: 'key-1' } } }, KubernetesConfig: { NamePrefix: 'web' } })).Id ?? ''
    assert.partialDeepStrictEqual(await listed(api, 'ListNodePools', id), { Name: 'vke-default-nodepool', NodeConfig: { Security: { Login: { Type: 'SshKeyPair', SshKeyPairName: 'key-1' } } } })
    assert.equal(code(await api.call('CreateDefaultNodePool', { ClusterId: plantId })), 'Conflict.Name')
    await api.makePoolRun(id)
    const [node = ''] = (await api.done('CreateNodes', { ClusterId: plantId, InstanceIds: ['i-d'] })).Ids ?? []
    const shown = await listed(api, 'ListNodes', node)
    assert.equal(shown['NodePoolId'], id)
    const own = { Labels: [{ Key: 'a', Value: 'b' }], Taints: [{ Key: 'c', Value: '', Effect: 'NoSchedule' }], Cordon: true }
    const [marked = ''] = (await api.done('CreateNodes', { ClusterId: plantId, InstanceIds: ['i-e'], KubernetesConfig: own })).Ids ?? []
    const made = await api.store.findNode(marked)
    assert.deepEqual([made?.spec.carries, made?.facts.toCordon], [{ labels: [{ key: 'a', value: 'b' }], taints: [{ key: 'c', value: '', effect: 'NoSchedule' }] }, true])
    for (const wish of [{ Labels: own.Labels }, { Taints: own.Taints }, { Cordon: true }]) assert.equal(code(await api.call('CreateNodes', { ClusterId: plantId, NodePoolId: centralPoolId, InstanceIds: ['i-f'], KubernetesConfig: wish })), 'InvalidParameter.KubernetesConfig', 'other pools say it themselves')
    await api.done('CreateNodes', { ClusterId: plantId, NodePoolId: centralPoolId, InstanceIds: ['i-f'], KubernetesConfig: { Labels: [], Taints: [], Cordon: false } })
    assert.equal(code(await api.call('CreateNodes', { ClusterId: plantId, InstanceIds: ['i-g'], KubernetesConfig: { Labels: [{ Key: 'a b', Value: '' }] } })), 'InvalidParameter.KubernetesConfig.Labels.Key')
    assert.match(String(shown['Name']), /^web-/)
    assert.equal(code(await api.call('UpdateNodePoolConfig', { ClusterId: plantId, Id: id, Name: 'other' })), 'InvalidParameter.Name')
    await api.app.close()
  })
})

test('labels of a pool that does not synchronise are for nodes to come, and new nodes are cordoned where the pool says so', async () => {
  const { api, plantId, centralPoolId } = await openSmallWorld()
  const pool = { ClusterId: plantId, Id: centralPoolId }
  const [ready = ''] = await grown(api, plantId, centralPoolId, ['there'])
  await api.makePoolRun(centralPoolId)
  await api.done('UpdateNodePoolConfig', { ...pool, KubernetesConfig: { Labels: [{ Key: 'a', Value: 'b' }], AutoSyncDisabled: true, Cordon: true } })
  await api.makePoolRun(centralPoolId)
  const spec = (await api.store.findNodePool(centralPoolId))?.spec
  const node = await api.store.findNode(ready)
  assert.ok(spec && node)
  assert.deepEqual([isAwaited(node.facts, spec), isOutOfSync(node.facts, { labels: {}, taints: [] }, spec), node.facts.toCordon], [false, false, undefined])
  const [id = ''] = (await api.done('CreateNodes', { ClusterId: plantId, NodePoolId: centralPoolId, InstanceIds: ['i-new'] })).Ids ?? []
  const added = await api.store.findNode(id)
  assert.deepEqual([added && isAwaited(added.facts, spec), added?.facts.toCordon], [true, true])
  await api.app.close()
})

suite('edge servers', () => {
  test('become nodes of static and of elastic pools by the name that was given, where it is free', async () => {
    const { api, clusterId, nodePoolId, plantId, elasticPoolId } = await openSmallWorld()
    const body = { ClusterId: clusterId, NodePoolId: nodePoolId, Name: 'direct-1', AutoCompleteConfig: directly('veen1001') }
    const [id = ''] = (await api.done('CreateEdgeNode', body)).Ids ?? []
    const node = await listed(api, 'ListEdgeNodes', id)
    assert.partialDeepStrictEqual(node, { Name: 'direct-1', InstanceId: 'veen1001', EdgeNodeType: 'edge-server', ProviderId: `m${id.slice(1)}`, Status: { Phase: 'Creating' } })
    assert.ok(!('AutoCompleteConfig' in node))
    assert.equal((await api.store.findNodePool(nodePoolId))?.spec.scaling, undefined)
    const [other = ''] = (await api.done('CreateEdgeNode', { ...body, AutoCompleteConfig: directly('veen1002') })).Ids ?? []
    assert.match(String((await listed(api, 'ListEdgeNodes', other))['Name']), /^direct-1-\w{10}$/)
    const two = (await api.done('CreateEdgeNode', { ClusterId: plantId, NodePoolId: elasticPoolId, Name: '收银台', AutoCompleteConfig: directly('veen1003', 'veen1004') })).Ids
    assert.equal(two?.length, 2)
    assert.deepEqual(await wants(api, elasticPoolId).then(one => [one.target, one.sent]), [3, 0])
    assert.equal(code(await api.call('CreateEdgeNode', { ...body, AutoCompleteConfig: directly('veen1003') })), 'Conflict.AutoCompleteConfig.DirectAddInstances')
    await api.app.close()
  })

  test('what is neither a server nor a whole address with its password is refused with a way out', async () => {
    const { api, clusterId, nodePoolId, plantId, centralPoolId } = await openSmallWorld()
    const create = (config: object, pool = { ClusterId: clusterId, NodePoolId: nodePoolId }) => api.call('CreateEdgeNode', { ...pool, Name: 'till', AutoCompleteConfig: config })
    const refused = await create({ Enable: true })
    assert.deepEqual([refused.status, code(refused)], [400, 'InvalidParameter.AutoCompleteConfig.DirectAdd'])
    assert.match(refused.body.ResponseMetadata.Error?.Message ?? '', /CreateBatchEdgeMachine/)
    assert.equal(code(await create({ ...directly('veen1'), Enable: false })), 'InvalidParameter.AutoCompleteConfig.Enable')
    assert.equal(code(await create({ Enable: true, DirectAdd: true })), 'MissingParameter.AutoCompleteConfig.DirectAddInstances')
    assert.equal(code(await create({ Enable: true, DirectAdd: true, DirectAddInstances: [{ CloudServerIdentity: 'c' }] })), 'MissingParameter.AutoCompleteConfig.DirectAddInstances.InstanceIdentity')
    assert.equal(code(await create(directly('veen1', 'veen1'))), 'InvalidParameter.AutoCompleteConfig.DirectAddInstances')
    assert.equal(code(await create({ ...directly('veen1'), MachineAuth: { AuthType: 'Key' } })), 'InvalidParameter.AutoCompleteConfig.MachineAuth.AuthType')
    assert.equal(code(await create(directly('veen1'), { ClusterId: plantId, NodePoolId: centralPoolId })), 'InvalidParameter.NodePoolId')
    await api.app.close()
  })
})

suite('machines at the end of their nodes', () => {
  test('go where Ecs is named to go, and are kept otherwise; one fewer is wanted', async () => {
    for (const [lists, fate] of [[{}, 'Retain'], [{ CascadingDeleteResources: ['Ecs'], RetainResources: [] }, 'Destroy'], [{ RetainResources: ['Ecs'] }, 'Retain'], [{ CascadingDeleteResources: ['Ecs'], RetainResources: ['Ecs'] }, 'Retain']] as const) {
      const { api, plantId, centralPoolId, centralNodeId } = await openSmallWorld()
      await api.done('DeleteNodes', { ClusterId: plantId, NodePoolId: centralPoolId, Ids: [centralNodeId], ...lists })
      assert.deepEqual([(await api.store.findNode(centralNodeId))?.facts.deletion?.machine, (await wants(api, centralPoolId)).target], [fate, 0])
      await api.app.close()
    }
  })

  test('a pool, and a cluster by each of its words; machines that ran a script have no such fate', async () => {
    const fates = async (call: (world: Awaited<ReturnType<typeof openSmallWorld>>) => Promise<unknown>) => {
      const world = await openSmallWorld()
      const { api, plantId, elasticNodeId, centralNodeId } = world
      await api.joinNode(plantId, world.elasticPoolId, 'scripted')
      for (const id of [elasticNodeId, centralNodeId]) await api.store.write(api.now, async tx => {
        const node = await tx.lockNode(id)
        if (node) await tx.changeNode(id, { facts: { ...node.facts, machineExistsAt: api.now, firstReadyAt: api.now, ready: { status: 'True', since: api.now, reason: '', message: '' } } }, { evidence: [] })
      })
      await call(world)
      const nodes = await api.store.nodesOf({ clusterId: plantId })
      await api.app.close()
      return Object.fromEntries(nodes.map(node => [node.id === elasticNodeId ? 'elastic' : node.id === centralNodeId ? 'central' : 'scripted', node.facts.deletion?.machine]))
    }
    const deleteCluster = (lists: object) => fates(({ api, plantId }) => api.done('DeleteCluster', { Id: plantId, ...lists }))
    assert.deepEqual(await deleteCluster({ CascadingDeleteResources: ['All'] }), { elastic: 'Destroy', central: 'Destroy', scripted: undefined })
    assert.deepEqual(await deleteCluster({ CascadingDeleteResources: ['NodePoolResource'] }), { elastic: 'Destroy', central: 'Destroy', scripted: undefined })
    assert.deepEqual(await deleteCluster({}), { elastic: 'Retain', central: 'Retain', scripted: undefined })
    assert.deepEqual(await deleteCluster({ CascadingDeleteResources: ['DefaultNodePoolResource'] }), { elastic: 'Retain', central: 'Retain', scripted: undefined })
    assert.deepEqual(await fates(({ api, plantId, elasticPoolId }) => api.done('DeleteNodePool', { ClusterId: plantId, Id: elasticPoolId, CascadingDeleteResources: ['Ecs'], RetainResources: [] })), { elastic: 'Destroy', central: undefined, scripted: undefined })
    assert.deepEqual(await fates(({ api, plantId, elasticPoolId }) => api.done('DeleteNodePool', { ClusterId: plantId, Id: elasticPoolId })), { elastic: 'Retain', central: undefined, scripted: undefined })
  })
})

test('what may be ordered is listed by zone and type', async () => {
  const { api } = await openSmallWorld()
  const { Items = [], TotalCount } = await api.done('ListSupportedResourceTypes')
  assert.deepEqual([TotalCount, Items.map(item => item['ResourceType'])], [2, ['Ecs', 'Zone']])
  assert.match(JSON.stringify(Items[0]?.['ResourceSpecifications']), /"ecs\.c1ie\.xlarge"/)
  assert.deepEqual((await api.done('ListSupportedResourceTypes', { Filter: { ZoneIds: ['local-1-a'], ResourceTypes: ['Zone'] } })).Items, [{ ResourceScope: 'Region', ZoneId: 'local-1-a', ResourceType: 'Zone', ResourceSpecifications: ['local-1-a'] }])
  assert.equal((await api.done('ListSupportedResourceTypes', { Filter: { ZoneIds: ['elsewhere'] } })).TotalCount, 0)
  assert.equal((await api.done('ListSupportedResourceTypes', { PageNumber: 2, PageSize: 2 })).Items?.length, 0)
  await api.app.close()
})

test('nodes are in the one zone that their region has, and are found by it', async () => {
  const { api, elasticNodeId, centralNodeId } = await openSmallWorld()
  const Ids = [elasticNodeId, centralNodeId]
  const [{ ZoneId: zone } = {}] = (await api.done('ListSupportedResourceTypes', { Filter: { ResourceTypes: ['Zone'] } })).Items ?? []
  assert.deepEqual((await api.done('ListNodes', { Filter: { Ids } })).Items?.map(item => item['ZoneId']), [zone, zone])
  for (const list of ['ListNodes', 'ListEdgeNodes'])
    for (const [ZoneIds, count] of [[[zone], 2], [['elsewhere', zone], 2], [['elsewhere'], 0], [[], 2]] as const) assert.equal((await api.done(list, { Filter: { Ids, ZoneIds } })).TotalCount, count, `${list} ${ZoneIds.join()}`)
  await api.app.close()
})

test('a region without machines of its own makes no pools that need them', async () => {
  const { api, plantId, clusterId, nodePoolId } = await openSmallWorld()
  const { machines } = api.local
  Object.assign(api.local, { machines: undefined })
  for (const [action, body] of [['CreateEdgeNodePool', elasticBody(plantId, 'none')], ['CreateNodePool', centralBody(plantId, 'none')], ['CreateEdgeNode', { ClusterId: clusterId, NodePoolId: nodePoolId, AutoCompleteConfig: directly('veen9') }]] as const)
    assert.equal(code(await api.call(action, body)), 'OperationDenied.RegionNotReady')
  Object.assign(api.local, { machines })
  await api.app.close()
})
