import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { ApiUnderTest, OURS, THEIRS, clusterBody } from './api-under-test.ts'
import { openSmallWorld } from './small-world.ts'

const phaseOf = (items: readonly Record<string, unknown>[] | undefined) => (items?.[0]?.['Status'] as { Phase?: string } | undefined)?.Phase
const code = (answer: { body: { ResponseMetadata: { Error?: { Code: string } } } }) => answer.body.ResponseMetadata.Error?.Code

suite('client tokens', () => {
  for (const member of ['ClientToken', 'CreateClientToken']) {
    test(`${member}: the first result again, and a refusal for other parameters`, async () => {
      const api = await ApiUnderTest.open()
      const body = { ...clusterBody('once', 0), [member]: 'Token-1' }
      const first = await api.done('CreateCluster', body)
      assert.deepEqual(await api.done('CreateCluster', { [member]: 'Token-1', ...clusterBody('once', 0) }), first, 'the order of members does not matter')
      assert.equal((await api.done('ListClusters')).TotalCount, 1)
      assert.equal(code(await api.call('CreateCluster', { ...body, Description: 'changed' })), 'IdempotentParameterMismatch')
      assert.equal((await api.done('ListClusters', { Filter: { CreateClientToken: 'Token-1' } })).TotalCount, 1)
      assert.equal((await api.done('ListClusters', { Filter: { CreateClientToken: 'token-1' } })).TotalCount, 0, 'tokens are case-sensitive')
      // Another account's token of the same text is another token.
      assert.notEqual((await api.done('CreateCluster', body, { as: THEIRS })).Id, first.Id)
      await api.app.close()
    })
  }

  test('twenty calls at once with one token make one cluster', async () => {
    const api = await ApiUnderTest.open()
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.done('CreateCluster', { ...clusterBody('once', 0), ClientToken: 'same' })))
    assert.equal(new Set(answers.map(answer => answer.Id)).size, 1)
    assert.equal((await api.done('ListClusters')).TotalCount, 1)
    await api.app.close()
  })

  test('a refused call leaves its token free', async () => {
    const api = await ApiUnderTest.open()
    const clusterId = await api.createCluster('shop', 0)
    const body = { ClusterId: clusterId, Name: 'counters', ClientToken: 'later' }
    assert.equal(code(await api.call('CreateEdgeNodePool', body)), 'OperationDenied.ClusterStatus')
    await api.makeClusterRun(clusterId)
    assert.equal((await api.call('CreateEdgeNodePool', body)).status, 200)
    await api.app.close()
  })
})

suite('names and ranges', () => {
  test('ten creations at once of one name make one cluster', async () => {
    const api = await ApiUnderTest.open()
    const answers = await Promise.all(Array.from({ length: 10 }, (_, number) => api.call('CreateCluster', clusterBody('same', number))))
    assert.deepEqual(answers.map(answer => answer.status).toSorted((a, b) => a - b), [200, ...Array.from({ length: 9 }, () => 409)])
    await api.app.close()
  })

  test('another account may have the same name and the same ranges', async () => {
    const api = await ApiUnderTest.open()
    await api.createCluster('same', 0)
    await api.createCluster('same', 0, { as: THEIRS })
    await api.app.close()
  })

  test('a cluster keeps its name for itself when another is renamed', async () => {
    const api = await ApiUnderTest.open()
    await api.createCluster('one', 0)
    const two = await api.createCluster('two', 1)
    await api.makeClusterRun(two)
    assert.equal(code(await api.call('UpdateClusterConfig', { Id: two, Name: 'one' })), 'Conflict.Name')
    await api.done('UpdateClusterConfig', { Id: two, Name: 'two' })
    await api.app.close()
  })
})

suite('the ledger', () => {
  test('names its owners as they are called now', async () => {
    const api = await ApiUnderTest.open()
    const id = await api.createCluster('one', 0)
    await api.makeClusterRun(id)
    const since = Date.UTC(2026, 0, 1)
    const { accountId, region } = (await api.store.findCluster(id))!
    await api.store.write(since, tx => tx.putLedger({ id: 'l-1', accountId, region, kind: 'ControlPlane', owner: { kind: 'Cluster', id, name: 'one' }, clusterId: id, state: 'Held', deleteProtected: false, since }))
    await api.done('UpdateClusterConfig', { Id: id, Name: 'two' })
    const [entry] = (await api.done('ListLedger')).Items as unknown as { Owner: { Name: string }; Since: string }[]
    assert.deepEqual([entry?.Owner.Name, entry?.Since], ['two', '2026-01-01T00:00:00.000Z'])
    await api.app.close()
  })
})

suite('states', () => {
  test('an update shows as Updating at once, and one that changes nothing does not', async () => {
    const { api, clusterId } = await openSmallWorld()
    const phase = async () => phaseOf((await api.done('ListClusters', { Filter: { Ids: [clusterId] } })).Items)
    await api.done('UpdateClusterConfig', { Id: clusterId, Name: 'shop' })
    assert.equal(await phase(), 'Running')
    await api.done('UpdateClusterConfig', { Id: clusterId, Description: 'new' })
    assert.equal(await phase(), 'Updating')
    await api.makeClusterRun(clusterId)
    assert.equal(await phase(), 'Running')
    await api.app.close()
  })

  test('deletion of a cluster marks pools and nodes in the same moment, enqueues each, and is refused again', async () => {
    const { api, clusterId, nodePoolId, nodeId } = await openSmallWorld()
    await api.done('DeleteCluster', { Id: clusterId, CascadingDeleteResources: ['All'] })
    for (const [action, id] of [['ListClusters', clusterId], ['ListEdgeNodePools', nodePoolId], ['ListEdgeNodes', nodeId]] as const) {
      assert.deepEqual((await api.done(action, { Filter: { Ids: [id] } })).Items?.[0]?.['Status'], { Phase: 'Deleting', Conditions: [{ Type: 'Progressing' }] }, action)
    }
    const waiting = [...(api.store as MemoryStore).waiting().keys()]
    for (const key of [`cluster/${clusterId}`, `node-pool/${nodePoolId}`, `node/${nodeId}`]) assert.ok(waiting.includes(key), key)
    assert.equal(code(await api.call('DeleteCluster', { Id: clusterId })), 'OperationDenied.ClusterStatus')
    assert.equal(code(await api.call('CreateEdgeNodePool', { ClusterId: clusterId, Name: 'late' })), 'OperationDenied.ClusterStatus')
    await api.app.close()
  })

  test('deletion of nodes is all or nothing, and what is gone already is done', async () => {
    const { api, clusterId, nodePoolId, nodeId } = await openSmallWorld()
    const pool = { ClusterId: clusterId, NodePoolId: nodePoolId }
    const { Id: otherPool = '' } = await api.done('CreateEdgeNodePool', { ClusterId: clusterId, Name: 'other' })
    const stray = await api.call('DeleteEdgeNodes', { ...pool, NodePoolId: otherPool, Ids: [nodeId] })
    assert.deepEqual([stray.status, code(stray)], [400, 'ParameterOutOfRange.NodePoolId'])
    assert.match(JSON.stringify(stray), new RegExp(`the node ${nodeId} is one of the node pool ${nodePoolId}`))
    const gone = 'n00000000000000000000'
    assert.equal(code(await api.call('DeleteEdgeNodes', { ...pool, Ids: [gone] })), 'NotFound.Node')
    assert.deepEqual((await api.done('ListEdgeNodes', { Filter: { Ids: [nodeId] } })).Items?.[0]?.['Status'], { Phase: 'Running', Conditions: [{ Type: 'Ok' }] })
    await api.done('DeleteEdgeNodes', { ...pool, Ids: [gone, nodeId, nodeId] })
    assert.equal(code(await api.call('DeleteEdgeNodes', { ...pool, Ids: [nodeId] })), 'OperationDenied.NodeStatus')
    const [pools, clusters] = [await api.done('ListEdgeNodePools', { Filter: { Ids: [nodePoolId] } }), await api.done('ListClusters', { Filter: { Ids: [clusterId] } })]
    assert.deepEqual([pools, clusters].map(({ Items }) => phaseOf(Items)), ['Scaling', 'Updating'])
    await api.app.close()
  })

  test('a failed cleanup is left by deleting again', async () => {
    const { api, clusterId } = await openSmallWorld()
    await api.done('DeleteCluster', { Id: clusterId })
    await api.store.write(api.now, async tx => {
      const cluster = await tx.lockCluster(clusterId)
      if (cluster) await tx.changeCluster(clusterId, { facts: { ...cluster.facts, obstacles: ['The disk is protected'] } }, { evidence: [] })
    })
    const status = async () => (await api.done('ListClusters', { Filter: { Ids: [clusterId] } })).Items?.[0]?.['Status']
    assert.deepEqual(await status(), { Phase: 'Failed', Conditions: [{ Type: 'ResourceCleanupFailed' }] })
    await api.done('DeleteCluster', { Id: clusterId })
    assert.deepEqual(await status(), { Phase: 'Deleting', Conditions: [{ Type: 'Progressing' }] })
    await api.app.close()
  })
})

suite('our own actions', () => {
  test('explain a cluster back to the node that moves it, and name the caller', async () => {
    const { api, clusterId, nodePoolId, nodeId } = await openSmallWorld()
    await api.done('DeleteEdgeNodes', { ClusterId: clusterId, NodePoolId: nodePoolId, Ids: [nodeId] })
    const explained = await api.done('ExplainStatus', { Id: clusterId }) as { CauseChain: { Resource: { Kind: string; Id: string }; Evidence: { Observer: string }[] }[]; Exits: { By: string }[]; Rule: string }
    assert.deepEqual(explained.CauseChain.map(link => [link.Resource.Kind, link.Resource.Id]), [['NodePool', nodePoolId], ['Node', nodeId]])
    assert.equal(explained.CauseChain[1]?.Evidence[0]?.Observer, `caller ${OURS.accessKeyId}`)
    assert.equal(explained.Rule, 'node pools are moving')
    assert.ok(explained.Exits.some(exit => exit.By === 'cause'))
    const node = await api.done('ExplainStatus', { Id: nodeId }) as { CauseChain: unknown[]; LooksAgainAt?: string }
    assert.deepEqual(node.CauseChain, [], 'the node itself is the first cause')
    assert.ok(node.LooksAgainAt !== undefined, 'its deadline is known')
    await api.app.close()
  })

  test('tell a cause as it was when it caused, not as it is now', async () => {
    const { api, clusterId, nodePoolId, nodeId } = await openSmallWorld()
    api.now += 10_000
    await api.store.write(api.now, async tx => {
      await tx.lockCluster(clusterId)
      await tx.lockNodePool(nodePoolId)
      const node = await tx.lockNode(nodeId)
      if (node) await tx.changeNode(nodeId, { facts: { ...node.facts, unschedulable: true } }, { evidence: [{ observer: 'watch', source: 'Node/shop-1', observedAt: api.now, fact: 'it is cordoned' }] })
    })
    const explained = await api.done('ExplainStatus', { Id: nodePoolId }) as { Since: string; CauseChain: { Since: string; Resource: { Id: string }; Status: { Conditions: { Type: string }[] } }[] }
    for (const link of explained.CauseChain) {
      assert.ok(link.Since <= explained.Since, 'no cause is later than what it caused')
      if (link.Resource.Id === nodeId) assert.deepEqual(link.Status.Conditions, [{ Type: 'Ok' }])
    }
    assert.deepEqual((await api.done('ExplainStatus', { Id: nodeId }))['Alike'], [], 'what changed before is not for this cause')
    await api.app.close()
  })

  test('tell every change in order with what asked for it', async () => {
    const { api, nodePoolId, clusterId, nodeId } = await openSmallWorld()
    await api.done('DeleteEdgeNodes', { ClusterId: clusterId, NodePoolId: nodePoolId, Ids: [nodeId] })
    const { Items = [] } = await api.done('ListStatusHistory', { Filter: { Ids: [nodeId] } })
    assert.deepEqual(Items.map(item => [(item['Status'] as { Phase: string }).Phase, item['Operation']]), [['Deleting', 'DeleteEdgeNodes'], ['Running', undefined]])
    const positions = (await api.done('ListStatusHistory', { PageSize: 100 })).Items?.map(item => Number(item['Position'])) ?? []
    assert.deepEqual(positions, positions.toSorted((a, b) => b - a))
    const held = await api.done('ListStatusHistory', { Filter: { ClusterIds: [clusterId] }, At: '2100-01-01T00:00:00Z' })
    assert.equal(new Set(held.Items?.map(item => item['Id'])).size, held.Items?.length, 'with At one row a resource')
    assert.deepEqual([...new Set(held.Items?.map(item => String(item['Kind'])))].toSorted(), ['Addon', 'Cluster', 'Node', 'NodePool'])
    await api.app.close()
  })

  test('machines: orders are recorded and enqueued, a crash goes straight to the machine, a script is run', async () => {
    const { api, machines, machineId, onboardingId } = await openSmallWorld()
    const of = async (id: string) => (await api.done('ListMachines', { Filter: { Ids: [id] } })).Items?.[0] ?? {}
    await api.done('SetMachine', { Id: machineId, Power: 'off', Link: 'cut' })
    assert.partialDeepStrictEqual(await of(machineId), { Power: 'off', Link: 'cut' })
    assert.equal(code(await api.call('ExecInMachine', { Id: machineId, Command: ['true'] })), 'OperationDenied.Machine')
    await api.done('SetMachine', { Id: machineId, Power: 'on', Link: 'up' })
    assert.deepEqual(await api.done('ExecInMachine', { Id: machineId, Command: ['true'] }), { ExitCode: 0, Output: '' })
    assert.deepEqual(await api.done('SetMachine', { Id: machineId, RunScript: onboardingId }), { ExitCode: 0, Output: '' })
    await api.done('SetMachine', { Id: machineId, Power: 'crash' })
    assert.equal((await machines.look(machineId))?.power, 'off')
    assert.partialDeepStrictEqual(await of(machineId), { Power: 'off' })
    await api.done('RemoveMachine', { Id: machineId })
    assert.partialDeepStrictEqual(await of(machineId), { Removing: true })
    assert.equal(code(await api.call('SetMachine', { Id: machineId, Power: 'on' })), 'OperationDenied.Machine')
    const other = (await api.done('AddMachine', { Name: 'box-2' })).Id ?? ''
    assert.match(String((await of(other))['Address']), /^10\.213\.128\./)
    await api.app.close()
  })

  test('whatever lives is told to be gone by no deletion that names it under another parent', async () => {
    const { api, clusterId, nodePoolId, elasticPoolId, onboardingId, kubeconfigId } = await openSmallWorld()
    const gone = 'c00000000000000000000', { Id: other = '' } = await api.done('CreateCluster', clusterBody('other', 7))
    for (const [action, body, refusal] of [
      ['DeleteNodePool', { ClusterId: other, Id: nodePoolId }, 'ParameterOutOfRange.ClusterId'],
      ['DeleteEdgeNodes', { ClusterId: other, NodePoolId: nodePoolId, Ids: [gone] }, 'ParameterOutOfRange.ClusterId'],
      ['DeleteKubeconfigs', { ClusterId: other, Ids: [kubeconfigId] }, 'ParameterOutOfRange.ClusterId'],
      ['DeleteBatchEdgeMachine', { ClusterId: clusterId, NodePoolId: elasticPoolId, Ids: [onboardingId] }, 'ParameterOutOfRange.ClusterId'],
    ] as const) assert.equal(code(await api.call(action, body)), refusal, action)
    await api.done('DeleteBatchEdgeMachine', { ClusterId: clusterId, NodePoolId: nodePoolId, Ids: [gone, onboardingId] })
    await api.done('DeleteKubeconfigs', { ClusterId: clusterId, Ids: [gone, kubeconfigId] })
    await api.app.close()
  })

  test('scripts: the line is there only when asked for, and gone with the script', async () => {
    const { api, clusterId, nodePoolId, onboardingId } = await openSmallWorld()
    const read = async (asked: object) => (await api.done('ListBatchEdgeMachine', { Filter: { Ids: [onboardingId], ...asked } })).Items?.[0]
    assert.ok(!('BootstrapScript' in (await read({}) ?? {})))
    assert.ok(!('BootstrapScript' in (await read({ NeedBootstrapScript: false }) ?? {})))
    assert.match(String((await read({ NeedBootstrapScript: true }))?.['BootstrapScript']), /token=[\w-]{32}/)
    const deletion = { ClusterId: clusterId, NodePoolId: nodePoolId, Ids: [onboardingId], ClientToken: 'go' }
    await api.done('DeleteBatchEdgeMachine', deletion)
    assert.deepEqual(await api.done('DeleteBatchEdgeMachine', deletion), {}, 'a repeat gets the first answer')
    assert.equal(code(await api.call('DeleteBatchEdgeMachine', { ...deletion, ClientToken: 'again' })), 'NotFound.BatchEdgeMachine')
    assert.equal(await read({}), undefined)
    assert.equal(code(await api.call('UpdateBatchEdgeMachine', { NodeId: onboardingId, ExpirationDate: 1_893_456_000 })), 'NotFound.BatchEdgeMachine')
    await api.app.close()
  })
})

suite('a store that cannot be reached', () => {
  test('answers 503 with Retry-After, and says so once it is back', async () => {
    const store = new MemoryStore()
    const api = await ApiUnderTest.open({}, {}, store)
    await api.call('ListClusters')
    const list = store.listClusters.bind(store)
    store.listClusters = async () => { throw Object.assign(new Error('connection refused'), { kind: 'StoreUnavailable' }) }
    const answer = await api.call('ListClusters')
    assert.deepEqual([answer.status, code(answer), answer.headers['retry-after']], [503, 'ServiceUnavailable', '1'])
    store.listClusters = async () => { throw new Error('a bug of ours: secret-text') }
    const bug = await api.call('ListClusters')
    assert.deepEqual([bug.status, code(bug)], [500, 'InternalError'])
    assert.doesNotMatch(bug.text, /secret-text/)
    assert.match(bug.body.ResponseMetadata.Error?.Message ?? '', new RegExp(bug.body.ResponseMetadata.RequestId), 'the caller can quote it')
    assert.equal(api.errors.length, 1, 'logged once')
    store.listClusters = list
    assert.equal((await api.call('ListClusters')).status, 200)
    await api.app.close()
  })
})
