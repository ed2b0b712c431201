import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodePoolFacts, Scaling } from '#model/node-pool/record.ts'
import { TenantClusterUnreachable, type RoomSeen } from '#ports/tenant-cluster.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, becauseOf, NOON, READY_POOL, SCOPE, nodePoolSpec, USABLE_CLUSTER } from '#test/harness/sample-records.ts'
import type { NodePoolPorts } from './ports.ts'
import { nodePoolController } from './reconcile.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND, YEAR = 365 * 24 * 60 * MINUTE
const NOBODY_WAITS: RoomSeen = { waiting: [], perNode: undefined, busy: [], light: [], free: [], steady: true }
const SCALING: Scaling = { enabled: true, minReplicas: 0, maxReplicas: 4, desiredReplicas: 0, sentDesiredReplicas: 0, priority: 10 }

/** A pool that scales by itself, in a region that tells of everything; its passes come when the test says so. */
async function opened() {
  const store = new MemoryStore(() => NOON)
  const clusterId = await store.write(NOON, tx => addCluster(tx, 'shop'))
  await store.write(NOON, tx => tx.insertNodePool({ id: 'p-burst', ...SCOPE, clusterId, spec: nodePoolSpec({ name: 'burst', type: 'edge-machine-pool', scaling: SCALING }), facts: READY_POOL }, becauseOf('CreateEdgeNodePool')))
  let now = NOON, isBlind = false, writes = 0
  const write = store.write.bind(store)
  store.write = async (...asked) => {
    writes++
    return await write(...asked)
  }
  const tenant = {
    room: async () => {
      if (isBlind) throw new TenantClusterUnreachable('listing pods timed out after 5 s')
      return NOBODY_WAITS
    },
  }
  const ports = { store, regionOf: () => ({ clock: { now: () => now }, tenant, tellsAll: true }), tenantAddressOf: async () => ({ clusterId }) } as unknown as NodePoolPorts
  const controller = nodePoolController(ports)
  return {
    writes: () => writes,
    facts: async () => (await store.findNodePool('p-burst'))?.facts as NodePoolFacts,
    setBlind(to: boolean) { isBlind = to },
    wait(ms: number) { now += ms },
    /** How long it waits for its next look. */
    async pass(): Promise<number | undefined> {
      const { lookAgainAt } = await controller.reconcile('p-burst', new AbortController().signal)
      return lookAgainAt === undefined ? undefined : lookAgainAt - now
    },
    setControlPlane: (controlPlane: 'usable' | 'unkept') => write(now, async tx => {
      await tx.lockCluster(clusterId)
      await tx.changeCluster(clusterId, { facts: { ...USABLE_CLUSTER, controlPlane } }, becauseOf('look'))
    }),
  }
}

test('a look at pods that fails after ten healthy years is made again soon, and that one that succeeds ends it', async () => {
  const pool = await opened()
  for (let times = 0; times < 10; times++) {
    assert.equal(await pool.pass(), undefined)
    pool.wait(YEAR)
  }
  assert.equal(pool.writes(), 0, 'a healthy pool that nothing is asked of writes nothing')
  for (let times = 0; times < 2; times++) {
    pool.setBlind(true)
    assert.equal(await pool.pass(), 15 * SECOND)
    pool.wait(15 * SECOND)
    pool.setBlind(false)
    assert.equal(await pool.pass(), undefined)
    assert.equal((await pool.facts()).blindSince, undefined)
    pool.wait(YEAR)
  }
})

test('ten years in which nobody can look are few looks and one write, and whoever is told meanwhile makes the next one no later', async () => {
  const pool = await opened()
  pool.setBlind(true)
  const pauses: number[] = []
  for (let waited = 0; waited < 10 * YEAR;) {
    const pause = await pool.pass() ?? assert.fail('nobody looks again')
    assert.equal(await pool.pass(), pause)
    pauses.push(pause)
    pool.wait(pause)
    waited += pause
  }
  assert.ok(pauses.length < 60, `${pauses.length} looks`)
  assert.deepEqual(pauses.slice(0, 4), [15, 15, 15, 22.5].map(seconds => seconds * SECOND))
  assert.equal(pool.writes(), 1)
  pool.setBlind(false)
  assert.equal(await pool.pass(), undefined)
  assert.equal(pool.writes(), 2)
})

test('who could not look before the API of the cluster went looks soon again when it is back', async () => {
  const pool = await opened()
  pool.setBlind(true)
  await pool.pass()
  await pool.setControlPlane('unkept')
  await pool.pass()
  pool.wait(YEAR)
  await pool.setControlPlane('usable')
  assert.equal(await pool.pass(), 15 * SECOND)
})
