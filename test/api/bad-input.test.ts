import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import fc from 'fast-check'
import type { TSchema } from 'typebox'
import { ACTIONS } from '#api/actions/all.ts'
import type { Action } from '#api/action.ts'
import type { Answer } from './api-under-test.ts'
import { clusterBody } from './api-under-test.ts'
import { assertCatalogue, oddBodies } from './odd-bodies.ts'
import { openSmallWorld, type SmallWorld } from './small-world.ts'

/** Every action with every kind of bad input: an answer of the catalogue, and nothing half made. */
suite('bad input', () => {
  let world: SmallWorld
  before(async () => { world = await openSmallWorld() })
  after(async () => {
    assert.deepEqual(world.api.errors, [], 'nothing ended as an unexpected error')
    await world.api.app.close()
  })

  async function refused(action: string, body: unknown): Promise<Answer> {
    const untouched = await world.api.everything()
    const answer = await world.api.call(action, body)
    assertCatalogue(action, answer)
    assert.deepEqual(await world.api.everything(), untouched, `${action} left something behind`)
    return answer
  }

  test('the table of valid bodies names every action', () => {
    assert.deepEqual(Object.keys(world.valid).toSorted(), ACTIONS.map(action => action.name).toSorted())
  })

  for (const action of ACTIONS) {
    // Scenarios are told of in simulated regions alone.
    const where = action.name === 'ListScenarios' ? { region: 'sim-1' } : {}
    test(`${action.name}: what is not a JSON object`, async () => {
      for (const text of ['not JSON', '{"Name":', '[]', '[{}]', '"text"', '17', 'true', 'null', '\u0000', '{"a":1}{"b":2}']) await refused(action.name, text)
    })

    test(`${action.name}: members of another type`, async () => {
      for (const body of withWrongTypes(action, world.valid[action.name] ?? {})) await refused(action.name, body)
    })

    test(`${action.name}: no body`, async () => {
      // A region may be made with everything left to us.
      if (action.kind === 'read' && action.name !== 'ExplainStatus' || action.name === 'CreateRegion') assert.equal((await world.api.call(action.name, '', where)).status, 200)
      else await refused(action.name, '')
    })

    test(`${action.name}: each required member missing`, async () => {
      for (const name of (action.schema as { required?: string[] }).required ?? []) {
        const { [name]: _left, ...body } = world.valid[action.name] ?? {}
        const { body: envelope } = await refused(action.name, body)
        assert.equal(envelope.ResponseMetadata.Error?.Code, `MissingParameter.${name}`)
      }
    })

    // What may be installed is told in one piece (api.md 6).
    if (action.name.startsWith('List') && action.name !== 'ListSupportedAddons' && action.name !== 'ListSupportedResourceTypes') {
      test(`${action.name}: pages that there are not`, async () => {
        for (const page of [{ PageNumber: 0 }, { PageNumber: -1 }, { PageNumber: 1.5 }, { PageNumber: '1' }, { PageSize: 0 }, { PageSize: 101 }, { PageNumber: 1e300 }]) await refused(action.name, page)
        assert.equal((await world.api.call(action.name, { PageNumber: 10_000, PageSize: 100 }, where)).status, 200)
      })
    }
  }

  const NAMES = [
    '', 'a', 'a'.repeat(65), '1a', '-ab', 'ab-', 'a b', 'a_b', 'a.b', 'a/b', 'ab\n', 'ab\u0000', 'ab\ud800', 'äb', 'ａb', '😀😀', 'vke-default-nodepool', '名'.repeat(65), '<b>', `ab${'-'.repeat(63)}`,
  ]
  test('names that may not be', async () => {
    for (const name of NAMES) {
      await refused('CreateCluster', { ...clusterBody('x', 2), Name: name })
      await refused('CreateEdgeNodePool', { ClusterId: world.clusterId, Name: name })
      await refused('UpdateClusterConfig', { Id: world.clusterId, Name: name })
      await refused('UpdateEdgeNodePoolConfig', { ClusterId: world.clusterId, Id: world.nodePoolId, Name: name })
    }
    const hostnames = new Set(['a', '1a', 'vke-default-nodepool'])
    for (const name of [...NAMES.filter(one => !hostnames.has(one)), 'A-b', 'a'.repeat(64)]) await refused('AddMachine', { Name: name })
  })

  test('names that are taken', async () => {
    assert.equal((await refused('CreateCluster', { ...clusterBody('shop', 3) })).status, 409)
    assert.equal((await refused('CreateEdgeNodePool', { ClusterId: world.clusterId, Name: 'counters' })).status, 409)
    assert.equal((await refused('AddMachine', { Name: 'box-1' })).status, 409)
  })

  test('ranges that may not be', async () => {
    const body = (pods: unknown, services: unknown = ['172.30.240.0/20'], more: object = {}) => ({
      ...clusterBody('ranged', 2), PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: pods, ...more } }, ServicesConfig: { ServiceCidrsv4: services },
    })
    for (const pods of [[], [''], ['172.22.0.0'], ['172.22.0.0/33'], ['172.22.0.0/-1'], ['172.22.0.1/20'], ['300.1.1.0/24'], ['fd00::/64'], ['172.22.0.0/20', '172.23.0.0/20'], ['0.0.0.0/0'], ['127.0.0.0/16'], ['172.22.0.0/28'], ['10.0.0.0/4'], ['a'.repeat(500)]]) {
      await refused('CreateCluster', body(pods))
      await refused('CreateCluster', body(['172.22.0.0/20'], pods))
    }
    await refused('CreateCluster', body(['172.22.0.0/25'], undefined, { MaxPodsPerNode: 256 }))
    await refused('CreateCluster', body(['172.22.0.0/20'], undefined, { MaxPodsPerNode: 65 }))
    await refused('CreateCluster', body(['172.22.0.0/20'], ['172.22.8.0/24']))
    const taken = [['172.20.0.0/20', 'another cluster\'s pods'], ['172.20.8.0/24', 'a part of them'], ['172.16.0.0/12', 'more than them'], ['172.30.0.0/20', 'another cluster\'s Services'], ['10.213.0.0/16', 'the bridge'], ['10.213.4.0/22', 'a part of the bridge']] as const
    for (const [range, what] of taken) {
      const { body: envelope } = await refused('CreateCluster', body([range]))
      assert.match(envelope.ResponseMetadata.Error?.Code ?? '', /^(Conflict|InvalidParameter)\./, what)
      await refused('CreateCluster', body(['172.25.0.0/20'], [range]))
    }
  })

  test('ids that are not there, or another account\'s', async () => {
    const { clusterId, nodePoolId, nodeId, onboardingId, kubeconfigId, machineId } = world
    const strangers: Readonly<Record<string, string>> = { [clusterId]: world.theirClusterId, [nodePoolId]: world.theirPoolId }
    const ids = new Set([clusterId, nodePoolId, nodeId, onboardingId, kubeconfigId, machineId])
    for (const [action, body] of Object.entries(world.valid)) {
      // To these an id is a filter.
      if (action.startsWith('List') || action === 'WatchChanges') continue
      for (const [name, value] of Object.entries(body)) {
        const [id] = Array.isArray(value) ? value as unknown[] : [value]
        if (typeof id !== 'string' || !ids.has(id)) continue
        for (const other of [`${id.slice(0, 1)}${'0'.repeat(20)}`, 'nonsense', '\'; drop table cluster; --', strangers[id] ?? 'x'.repeat(128)]) {
          const { status } = await refused(action, { ...body, [name]: Array.isArray(value) ? [other] : other })
          assert.equal(status, 404, `${action} ${name}=${other}`)
        }
      }
    }
  })

  test('lists show nothing of another account or region', async () => {
    const theirs = { Filter: { Ids: [world.theirClusterId] } }
    assert.equal((await world.api.done('ListClusters', theirs)).TotalCount, 0)
    for (const action of ['ListEdgeNodePools', 'ListEdgeNodes', 'ListBatchEdgeMachine', 'ListKubeconfigs', 'ListStatusHistory', 'ListLedger']) {
      assert.equal((await world.api.done(action, { Filter: { ClusterIds: [world.theirClusterId] } })).TotalCount, 0, action)
    }
    for (const action of ['ListClusters', 'ListEdgeNodePools', 'ListEdgeNodes', 'ListMachines']) assert.equal((await world.api.done(action, {}, { region: 'sim-1' })).TotalCount, 0, action)
    const { status } = await world.api.call('DeleteCluster', { Id: world.clusterId }, { region: 'sim-1' })
    assert.notEqual(status, 200)
  })

  test('values out of range', async () => {
    const pool = { ClusterId: world.clusterId, NodePoolId: world.nodePoolId }
    for (const TTLHours of [0, -1, 1.5, 1e9, Number.MAX_SAFE_INTEGER, '1']) await refused('CreateBatchEdgeMachine', { ...pool, TTLHours })
    for (const ExpirationDate of [1, -1, 1e12, 1e300, 1.5]) await refused('UpdateBatchEdgeMachine', { NodeId: world.onboardingId, ExpirationDate })
    for (const ValidDuration of [0, -1, 867_241, 1.5]) await refused('CreateKubeconfig', { ClusterId: world.clusterId, Type: 'Private', ValidDuration })
    await refused('CreateKubeconfig', { ClusterId: world.clusterId, Type: 'TargetCluster' })
    await refused('DeleteCluster', { Id: world.clusterId, CascadingDeleteResources: ['Everything'] })
    await refused('DeleteEdgeNodes', { ...pool, Ids: [] })
    await refused('DeleteEdgeNodes', { ...pool, Ids: Array.from({ length: 101 }, (_, index) => `n${index}`) })
    await refused('ListClusters', { Filter: { Statuses: [{ Phase: 'Sleeping' }] } })
    await refused('ListClusters', { Filter: { Statuses: Array.from({ length: 16 }, () => ({ Phase: 'Running' })) } })
    await refused('ListStatusHistory', { At: 'yesterday' })
    for (const type of ['machine-set', 'other']) await refused('CreateEdgeNodePool', { ClusterId: world.clusterId, Name: 'typed', NodePoolType: type })
    await refused('CreateEdgeNodePool', { ClusterId: world.clusterId, Name: 'tainted', KubernetesConfig: { Taints: [{ Key: 'a', Effect: 'Never' }] } })
    await refused('CreateEdgeNodePool', { ClusterId: world.clusterId, Name: 'labelled', KubernetesConfig: { Labels: [{ Key: 'a b', Value: 'c' }] } })
    await refused('CreateCluster', { ...clusterBody('versioned', 2), KubernetesVersion: '1.99' })
    await refused('CreateCluster', { ...clusterBody('versioned', 2), KubernetesVersion: 'newest' })
    await refused('CreateCluster', { ...clusterBody('described', 2), Description: 'a'.repeat(301) })
    await refused('CreateCluster', { ...clusterBody('tokened', 2), ClientToken: 'a'.repeat(65) })
    await refused('CreateCluster', { ...clusterBody('tokened', 2), ClientToken: 'ä' })
    await refused('SetMachine', { Id: world.machineId })
  })

  test('a call that is only to tell what it would do does nothing, and says so', async () => {
    for (const { name } of ACTIONS.filter(action => action.kind === 'write')) {
      const { body } = await refused(name, { ...world.valid[name], DryRun: true })
      assert.match(body.ResponseMetadata.Error?.Code ?? '', /^(InvalidParameter|ParameterOutOfRange)\.DryRun$/, name)
    }
  })

  test('deep nesting, huge numbers of members, and names from Object.prototype', async () => {
    await refused('CreateCluster', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)
    await refused('CreateCluster', `{${Array.from({ length: 20_000 }, (_, index) => `"m${index}":1`).join(',')}}`)
    await refused('CreateCluster', '{"__proto__":{"Name":"polluted"},"constructor":{},"toString":1}')
    assert.equal(({} as { Name?: string }).Name, undefined)
    assert.equal((await world.api.call('ListClusters', '{"__proto__":{"PageSize":0},"hasOwnProperty":1,"Unknown":{"Deep":[1,2,3]}}')).status, 200)
  })

  test('a region that takes no orders refuses every write with its sentence, and serves every read, and calls about regions themselves', async () => {
    for (const action of ACTIONS) {
      const { status, body } = await world.api.call(action.name, world.valid[action.name], { region: 'sim-1' })
      if (action.inAnyRegion) assert.doesNotMatch(body.ResponseMetadata.Error?.Message ?? '', /the simulated region is not in this version/)
      else if (action.kind === 'write') {
        assert.equal(body.ResponseMetadata.Error?.Code, 'OperationDenied.RegionNotReady')
        assert.match(body.ResponseMetadata.Error?.Message ?? '', /the simulated region is not in this version/)
      } else if (['GetClock', 'ListFaults', 'ListQuotas', 'ListStock'].includes(action.name)) assert.match(body.ResponseMetadata.Error?.Code ?? '', /^OperationDenied\.RegionNot(Simulated|Ready)$/)
      else assert.ok(status === 200 || status === 404, action.name)
    }
  })

  test('whatever is sent, the answer is of the catalogue', async () => {
    await fc.assert(fc.asyncProperty(oddBodies(), async ([name, text]) => {
      const answer = await world.api.call(name, text)
      if (answer.status !== 200) assertCatalogue(name, answer)
    }), { numRuns: 600 })
  })
})

/** The valid body with one member at a time replaced by values of other types; members of objects, too. */
function* withWrongTypes(action: Action, valid: Record<string, unknown>): Generator<unknown> {
  const { properties = {} } = action.schema as { properties?: Record<string, TSchema> }
  for (const [name, schema] of Object.entries(properties)) {
    for (const wrong of [17.5, { Unexpected: 1 }, [[1]], '\u0001']) {
      if (!fits(schema, wrong)) yield { ...valid, [name]: wrong }
    }
    const inner = (schema as { properties?: Record<string, TSchema> }).properties ?? {}
    for (const [member, innerSchema] of Object.entries(inner)) {
      for (const wrong of [17.5, { Unexpected: 1 }, [[1]]]) if (!fits(innerSchema, wrong)) yield { ...valid, [name]: { ...valid[name] as object, [member]: wrong } }
    }
  }
}

function fits(schema: TSchema, value: unknown): boolean {
  const { type, anyOf, items } = schema as { type?: string; anyOf?: TSchema[]; items?: TSchema }
  if (anyOf) return anyOf.some(choice => fits(choice, value))
  if (type === 'array') return Array.isArray(value) && value.every(item => !items || fits(items, item))
  if (type === 'object') return typeof value === 'object' && !Array.isArray(value)
  return type === 'string' ? typeof value === 'string' : type === 'number' && typeof value === 'number'
}
