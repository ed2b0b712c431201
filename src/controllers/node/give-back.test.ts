import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimOf } from '#model/node/claim.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { Scaling } from '#model/node-pool/record.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, becauseOf, nodePoolSpec, NOON, READY_POOL, SCOPE } from '#test/harness/sample-records.ts'
import { giveBack } from './give-back.ts'
import type { NodePorts } from './ports.ts'

const SCALING: Scaling = { enabled: true, minReplicas: 0, maxReplicas: 5, desiredReplicas: 0, sentDesiredReplicas: 0, priority: 10 }

test('pools that share what pods need look again at each machine of another one that is refused, since all those that were on their way were counted on', async () => {
  const store = new MemoryStore()
  const ports = { store, regionOf: () => ({ clock: { now: () => NOON } }) } as unknown as NodePorts
  const nodes = await store.write(NOON, async tx => {
    const clusterId = await addCluster(tx, 'shop')
    const [first] = await Promise.all(['first', 'second'].map(name => tx.insertNodePool({ id: `p-${name}`, ...SCOPE, clusterId, spec: nodePoolSpec({ name, type: 'edge-machine-pool', scaling: SCALING }), facts: READY_POOL }, becauseOf('CreateEdgeNodePool'))))
    const claims = ['n-1', 'n-2'].map(nodeId => claimOf({ nodeId, name: nodeId, pool: first as NodePoolRecord, now: NOON, address: '', firstBoot: '' }))
    await tx.insertClaims(claims.map(({ node, machine, ledger }) => ({ node, machine, ledger: { ...ledger, state: 'Intended' as const }, token: { tokenHash: node.id, nodeId: node.id, machineId: machine.id } })), becauseOf('CreateEdgeNodePool'))
    for (const { machine } of claims) await tx.changeMachine(machine.id, { refused: { as: 'StockOut', because: 'Nothing is left in stock', at: NOON } })
    return claims.map(({ node }) => node.id)
  })
  for (const id of nodes) {
    const lease = await store.queue.register({ name: id, hosts: [], ttlMs: 60_000 })
    const due = await store.queue.due(lease, { region: SCOPE.region, now: NOON, limit: 100 })
    await store.queue.completeMany(lease, due.map(work => ({ work, lookAgainAt: undefined })))
    const record = await store.findNode(id)
    assert.ok(record)
    await giveBack(record, ports)
    const woken = await store.queue.due(lease, { region: SCOPE.region, now: NOON, limit: 100 })
    assert.ok(woken.some(({ kind, id: of }) => kind === 'node-pool' && of === 'p-second'), `${id}: ${woken.map(key => `${key.kind}/${key.id}`).join()}`)
  }
})

test('the claim of a machine that is refused once its pool is to go waits for nobody, and its pool is woken', async () => {
  const store = new MemoryStore()
  const ports = { store, regionOf: () => ({ clock: { now: () => NOON } }) } as unknown as NodePorts
  const id = await store.write(NOON, async tx => {
    const clusterId = await addCluster(tx, 'shop')
    const deletion = { requestedAt: NOON, by: 'call' as const, cascading: ['Ecs'], retain: [] }
    const pool = await tx.insertNodePool({ id: 'p-shop', ...SCOPE, clusterId, spec: nodePoolSpec({ name: 'burst', type: 'edge-machine-pool', scaling: SCALING }), facts: { ...READY_POOL, deletion } }, becauseOf('CreateEdgeNodePool'))
    const { node, machine, ledger } = claimOf({ nodeId: 'n-1', name: 'n-1', pool: pool as NodePoolRecord, now: NOON, address: '', firstBoot: '' })
    await tx.insertClaims([{ node, machine, ledger: { ...ledger, state: 'Intended' as const }, token: { tokenHash: node.id, nodeId: node.id, machineId: machine.id } }], becauseOf('CreateEdgeNodePool'))
    await tx.changeMachine(machine.id, { refused: { as: 'StockOut', because: 'Nothing is left in stock', at: NOON } })
    return node.id
  })
  const record = await store.findNode(id)
  assert.ok(record)
  await giveBack(record, ports)
  const { items } = await store.listLedger(SCOPE, { states: ['Intended', 'Released'] }, { number: 1, size: 10 })
  assert.deepEqual(items.map(({ kind, state }) => [kind, state]), [['Machine', 'Released']])
  const lease = await store.queue.register({ name: 'worker', hosts: [], ttlMs: 60_000 })
  assert.ok((await store.queue.due(lease, { region: SCOPE.region, now: NOON, limit: 100 })).some(({ kind }) => kind === 'node-pool'))
})
