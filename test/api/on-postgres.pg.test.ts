import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { ACTIONS } from '#api/actions/all.ts'
import { versionOf } from '#client/calls.ts'
import { canonicalQuery, signedHeaders } from '#client/sign.ts'
import type { Log } from '#ports/log.ts'
import { openStore, type OpenStore } from '#store/open.ts'
import { OURS, clusterBody } from './api-under-test.ts'
import { assertCatalogue, oddBodies } from './odd-bodies.ts'
import { centralBody, openSmallWorld, type SmallWorld } from './small-world.ts'
import { machinesOwnedBy } from '#test/harness/owned-machines.ts'

/** What the memory store cannot show of the API: texts that a database refuses, and calls that really run at once. */
suite('the API on PostgreSQL', () => {
  let opened: OpenStore
  let stateDir: string
  let world: SmallWorld
  before(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'edgehold-api-'))
    chmodSync(stateDir, 0o711)
    opened = await openStore({ stateDir, log: silent(), clock: { now: () => Date.now(), sleep: ms => new Promise(resolve => setTimeout(resolve, ms)) } })
    world = await openSmallWorld(opened.store)
  })
  after(async () => {
    await world.api.app.close()
    await opened.stopDatabase()
    await opened.close()
    rmSync(stateDir, { recursive: true, force: true })
  })

  test('every valid read is answered', async () => {
    for (const action of ACTIONS.filter(one => one.kind === 'read')) {
      // Scenarios are told of in simulated regions alone.
      const { status, text } = await world.api.call(action.name, world.valid[action.name], action.name === 'ListScenarios' ? { region: 'sim-1' } : {})
      assert.equal(status, 200, text)
    }
  })

  test('twenty calls at once with one token make one cluster, ten of one name make one', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.api.done('CreateCluster', { ...clusterBody('once', 4), ClientToken: 'same' })))
    assert.equal(new Set(answers.map(answer => answer.Id)).size, 1)
    const named = await Promise.all(Array.from({ length: 10 }, (_, number) => world.api.call('CreateCluster', clusterBody('named', 5 + number))))
    assert.deepEqual(named.map(answer => answer.status).toSorted((a, b) => a - b), [200, ...Array.from({ length: 9 }, () => 409)])
  })

  test('one server at once into many pools is one node; ten at once into one pool keep within its MaxReplicas', async () => {
    const { api, plantId, centralPoolId } = world
    const pools = await Promise.all(['one', 'two', 'three'].map(async name => {
      const id = (await api.done('CreateNodePool', centralBody(plantId, name))).Id ?? ''
      await api.makePoolRun(id)
      return id
    }))
    const crossed = await Promise.all(pools.map(NodePoolId => api.call('CreateNodes', { ClusterId: plantId, NodePoolId, InstanceIds: ['i-once'] })))
    assert.deepEqual(crossed.map(answer => answer.status).toSorted((a, b) => a - b), [200, 409, 409])
    const many = await Promise.all(Array.from({ length: 12 }, (_, number) => api.call('CreateNodes', { ClusterId: plantId, NodePoolId: centralPoolId, InstanceIds: [`i-many-${number}`] })))
    assert.deepEqual(many.map(answer => answer.body.ResponseMetadata.Error?.Code ?? 'made').toSorted(), [...Array.from({ length: 3 }, () => 'QuotaExceeded.Node'), ...Array.from({ length: 9 }, () => 'made')], 'it has one and may have ten')
    const nodes = await api.done('ListNodes', { Filter: { NodePoolIds: [centralPoolId] }, PageSize: 100 })
    assert.equal(nodes.TotalCount, 10)
    const machines = await Promise.all((nodes.Items ?? []).map(async node => machinesOwnedBy(api.store, 'local-1', { nodeId: String(node['Id']) })))
    assert.equal(new Set(machines.flat().map(machine => machine.address)).size, 10)
    const [gone] = nodes.Items ?? []
    await api.done('DeleteNodes', { ClusterId: plantId, NodePoolId: centralPoolId, Ids: [gone?.['Id']], CascadingDeleteResources: ['Ecs'] })
    assert.equal((await api.done('ListNodes', { Filter: { InstanceIds: [gone?.['InstanceId']] } })).Items?.[0]?.['Id'], gone?.['Id'])
  })

  test('an answer that is given again is compressed to the same text', async () => {
    const plain = await world.api.call('ListClusters', { PageSize: 100 })
    assert.ok(plain.text.length > 2_000)
    for (let time = 0; time < 4; time++) {
      const query = { Action: 'ListClusters', Version: versionOf('ListClusters') }
      const body = JSON.stringify({ PageSize: 100 })
      const headers = signedHeaders('127.0.0.1:7420', query, body, OURS, { region: 'local-1', service: 'veecp_openapi' }, world.api.now)
      const { rawPayload } = await world.api.app.inject({ method: 'POST', url: `/?${canonicalQuery(query)}`, payload: body, headers: { ...headers, 'accept-encoding': 'gzip' } })
      assert.ok(rawPayload.length < plain.text.length / 2)
      assert.deepEqual((JSON.parse(gunzipSync(rawPayload).toString()) as typeof plain.body).Result, plain.body.Result)
    }
  })

  test('forty creations at once of other names and ranges are all made', async () => {
    const bodies = Array.from({ length: 40 }, (_, number) => ({
      ...clusterBody(`many-${number}`, 0), PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: [`10.${100 + number}.0.0/20`] } }, ServicesConfig: { ServiceCidrsv4: [`10.${100 + number}.16.0/20`] },
    }))
    const answers = await Promise.all(bodies.map(body => world.api.call('CreateCluster', body)))
    assert.deepEqual([...new Set(answers.map(answer => answer.status))], [200])
  })

  test('whatever is sent, the answer is of the catalogue', async () => {
    await fc.assert(fc.asyncProperty(oddBodies(), async ([name, text]) => {
      const answer = await world.api.call(name, text)
      if (answer.status !== 200) assertCatalogue(name, answer)
    }), { numRuns: 500 })
    assert.deepEqual(world.api.errors, [])
  })

  test('the walk to the end: every write of the table is accepted', async () => {
    const order = ['UpdateBatchEdgeMachine', 'DeleteBatchEdgeMachine', 'DeleteKubeconfigs', 'SetMachine', 'RemoveMachine', 'SetNodeSchedulable', 'DeleteEdgeNodes', 'DeleteNodePool']
    for (const action of order) {
      const { status, text } = await world.api.call(action, world.valid[action])
      assert.equal(status, 200, `${action}: ${text}`)
    }
    assert.deepEqual(world.api.errors, [])
  })
})

function silent(): Log {
  const quiet = () => {}
  const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet, child: () => log }
  return log
}
