import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import type { Store, Transaction } from '#ports/store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, addNode, addNodePool, becauseOf, clusterSpec, NEW_NODE, nodePoolSpec, nodeSpec, NOON, READY_NODE, READY_POOL, USABLE_CLUSTER } from '#test/harness/sample-records.ts'
import type { OpenStore } from '../open.ts'
import { clusterRow, nodePoolRow, nodeRow, nodeStatusRow } from '../records/rows.ts'
import { scratchPostgres, type ScratchPostgres } from '../testing/scratch-postgres.ts'

const BECAUSE = becauseOf('Change'), NAMES = ['a', 'b', 'c'] as const
const CLUSTERS = NAMES.map(name => `c-${name}`), POOLS = NAMES.map(name => `p-${name}`), NODES = NAMES.flatMap(name => [`n-${name}1`, `n-${name}2`])

type Change = (tx: Transaction) => Promise<void>

/** Each moves other parts of a record, and some move nothing but what its parents count. */
const CHANGES = fc.oneof(
  fc.record({ id: fc.constantFrom(...CLUSTERS), text: fc.constantFrom('', 'one', 'two'), keep: fc.boolean() }).map(({ id, text, keep }): Change => tx => tx.changeCluster(id, { spec: clusterSpec({ name: id, description: text, deleteProtectionEnabled: keep }) }, BECAUSE)),
  fc.record({ id: fc.constantFrom(...CLUSTERS), says: fc.constantFrom('x', 'y') }).map(({ id, says }): Change => tx => tx.changeCluster(id, { facts: { ...USABLE_CLUSTER, controlPlaneSays: says } }, BECAUSE)),
  fc.record({ id: fc.constantFrom(...CLUSTERS), address: fc.constantFrom('10.0.0.1', '10.0.0.2') }).map(({ id, address }): Change => tx => tx.changeCluster(id, { address }, BECAUSE)),
  fc.record({ id: fc.constantFrom(...CLUSTERS), token: fc.constantFrom('t-1', 't-2') }).map(({ id, token }): Change => tx => tx.changeCluster(id, { updateClientToken: token }, BECAUSE)),
  fc.record({ id: fc.constantFrom(...POOLS), labels: fc.constantFrom([], [{ key: 'k', value: 'v' }]) }).map(({ id, labels }): Change => tx => tx.changeNodePool(id, { spec: nodePoolSpec({ name: `${id}-${labels.length}`, labels }) }, BECAUSE)),
  fc.record({ id: fc.constantFrom(...POOLS), openClaims: fc.constantFrom(0, 1) }).map(({ id, openClaims }): Change => tx => tx.changeNodePool(id, { facts: { ...READY_POOL, openClaims } }, BECAUSE)),
  fc.record({ id: fc.constantFrom(...NODES), facts: fc.constantFrom(NEW_NODE, READY_NODE, { ...READY_NODE, unschedulable: true }) }).map(({ id, facts }): Change => tx => tx.changeNode(id, { facts }, BECAUSE)),
  fc.record({ id: fc.constantFrom(...NODES), machineId: fc.constantFrom('m-1', 'm-2') }).map(({ id, machineId }): Change => tx => tx.changeNode(id, { spec: nodeSpec(id, { machineId }) }, BECAUSE)),
)

describe('records that are changed in part', () => {
  let postgres: ScratchPostgres
  before(async () => { postgres = await scratchPostgres() })
  after(() => postgres.end())

  test('are in PostgreSQL as the double has them, each column as if its row had been written whole, and known to each process as they are', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.array(CHANGES, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 }), async transactions => {
      const opened = await postgres.openCopy(), memory = new MemoryStore(() => NOON)
      const other = await postgres.openBeside(opened.databaseUrl)
      try {
        for (const store of [opened.store, memory]) await store.write(NOON, addFleet)
        for (const [index, changes] of transactions.entries()) for (const store of [index % 3 === 1 ? other.store : opened.store, memory]) await store.write(NOON + index + 1, tx => inOneFleet(tx, changes))
        await assertSame(opened, memory)
        const expected = await recordsOf(memory)
        for (const { store } of [opened, other]) for (const look of ['from what it knows', 'once more']) assert.deepEqual(await recordsOf(store), expected, look)
      } finally {
        await other.close()
        await opened.close()
      }
    }), { numRuns: 12 })
  })
})

async function addFleet(tx: Transaction): Promise<void> {
  for (const name of NAMES) {
    const parents = { clusterId: await addCluster(tx, name), nodePoolId: '' }
    parents.nodePoolId = await addNodePool(tx, name, parents.clusterId)
    for (const number of [1, 2]) await addNode(tx, `${name}${number}`, parents)
  }
}

async function inOneFleet(tx: Transaction, changes: readonly Change[]): Promise<void> {
  await tx.lockTrees([...CLUSTERS.map(id => ({ kind: 'cluster' as const, id })), ...POOLS.map(id => ({ kind: 'node-pool' as const, id })), ...NODES.map(id => ({ kind: 'node' as const, id }))])
  for (const change of changes) await change(tx)
}

async function recordsOf(store: Store): Promise<readonly unknown[]> {
  const byId = (records: readonly { readonly id: string }[]) => JSON.parse(JSON.stringify(records.toSorted((one, other) => (one.id < other.id ? -1 : 1)))) as unknown
  return [byId(await store.clustersById(CLUSTERS)), byId(await store.nodePoolsById(POOLS)), byId(await store.nodesById(NODES))]
}

async function assertSame(opened: OpenStore, memory: MemoryStore): Promise<void> {
  for (const [table, ids, rows] of [
    ['cluster', CLUSTERS, (await memory.clustersById(CLUSTERS)).map(clusterRow)], ['node_pool', POOLS, (await memory.nodePoolsById(POOLS)).map(nodePoolRow)], ['node', NODES, (await memory.nodesById(NODES)).map(nodeRow)],
    ['node_status', NODES, (await memory.nodesById(NODES)).map(nodeStatusRow)],
  ] as const) {
    const written = new Map((await opened.query<{ id: string }>(`select * from ${table} where id = any($1::text[])`, [ids])).map(row => [row.id, row]))
    assert.equal(rows.length, ids.length)
    for (const row of JSON.parse(JSON.stringify(rows)) as { id: string }[]) assert.deepEqual({ ...written.get(row.id), ...row }, written.get(row.id), `${table} ${row.id}`)
  }
}
