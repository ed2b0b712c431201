import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { crashing, type CrashPlan } from '../harness/crashing.ts'
import { Scene } from '../harness/world/scene.ts'
import { shows } from '../harness/world/users.ts'
import { ACCOUNT, REGION } from '../harness/world.ts'

const SECOND = 1_000
const ALL = { number: 1, size: 100 }

/** Everything that is left in the world and in the books; the same after every crash as without one. */
async function books({ world }: Scene, clusterIds: readonly string[]): Promise<unknown> {
  const ledger = await world.store.listLedger({ accountId: ACCOUNT, region: REGION }, {}, ALL)
  return {
    clusters: await Promise.all(clusterIds.map(async id => shows(await world.store.findCluster(id)))),
    made: [...world.host.made.keys()].length, machines: world.machines.made.size,
    ledger: ledger.items.map(({ kind, state }) => `${kind} ${state}`).sort(),
    members: [...world.tenant.insides.values()].map(inside => [inside.members, [...inside.nodes.keys()]]),
    secrets: (await Promise.all(clusterIds.map(id => world.store.machineSecretsOf(id)))).flat().map(secret => secret.state),
    keys: await Promise.all(clusterIds.map(async id => await world.store.readSecret(`cluster/${id}/pki`) !== undefined)),
  }
}

/** A life of a cluster as far as it is told, with the process dying at one call of a port. */
async function live(plan: CrashPlan, deletes: boolean): Promise<unknown> {
  const scene = await Scene.begin(ports => ({
    store: crashing(ports.store, plan), host: crashing(ports.host, plan, ['isReady', 'isUp']), tenant: crashing(ports.tenant, plan, ['inside']), machines: crashing(ports.machines, plan),
  }))
  const { users, world } = scene
  const cluster = await users.createCluster(), box = await users.addMachine('shop-1')
  await scene.cluster(cluster, 'Running Ok')
  const pool = await users.createPool(cluster, { labels: [{ key: 'site', value: 'front' }] })
  await scene.pool(pool, 'Running Ok')
  const node = await users.runScript(box, cluster, pool, 'shop-1')
  await world.until('the kubelet is admitted', () => world.kubelets.register(box, cluster, 'shop-1'))
  await scene.node(node, 'Running Ok')
  await world.until('the label is there', async () => world.tenant.inside(cluster).nodes.get('shop-1')?.labels['site'] === 'front')
  if (deletes) {
    await users.deleteNodes([node])
    await scene.node(node, 'gone')
    await users.deleteCluster(cluster)
    await scene.cluster(cluster, 'gone', 3 * 60 * SECOND)
    await users.orderMachine(box, { deletionRequestedAt: world.clock.now() })
    await world.until('the machine is gone', async () => await world.store.findMachine(box) === undefined)
  } else await world.pass(2 * SECOND)
  const end = await books(scene, [cluster])
  await scene.end()
  return end
}

describe('the process dies at a call of a port, once, and the next one comes to the same end with nothing leaked', () => {
  for (const when of ['before', 'after'] as const) {
    test(`${when} each call of creation, join and deletion`, async () => {
      const created: CrashPlan = { calls: 0, at: -1, when }, deleted: CrashPlan = { calls: 0, at: -1, when }
      const whole = await live(created, false), gone = await live(deleted, true)
      assert.ok(created.calls > 50 && deleted.calls > created.calls + 30, 'the plan must bite')
      // A crash after one call differs from one before the next only in what was not yet done in memory, so a few of those are enough. Most calls of a creation
      // are polls, all alike: after the first ones they are tried in a stride that differs from their rhythm.
      const stride = when === 'before' ? 1 : 5
      for (let at = 0; at < created.calls; at += at < 36 ? stride : 17) assert.deepEqual(await live({ calls: 0, at, when }, false), whole, `crash at call ${at}`)
      for (let at = created.calls - 10; at < deleted.calls; at += stride) assert.deepEqual(await live({ calls: 0, at, when }, true), gone, `crash at call ${at} of the whole life`)
    })
  }
})
