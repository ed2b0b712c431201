import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Scaling } from '#model/node-pool/record.ts'
import { MachineHeld } from '#ports/machines.ts'
import { crashing, type CrashPlan } from '../harness/crashing.ts'
import { Scene } from '../harness/world/scene.ts'
import { shows } from '../harness/world/users.ts'
import { ACCOUNT, REGION } from '../harness/world.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND
const SCOPE = { accountId: ACCOUNT, region: REGION }, ALL = { number: 1, size: 1_000 }
const SCALING: Scaling = { enabled: false, minReplicas: 0, maxReplicas: 5, desiredReplicas: 2, sentDesiredReplicas: 2, priority: 10, mode: 'Recycle' }

/** What is in the books and in the world; the same after every crash as without one. */
async function books({ world }: Scene, pool: string): Promise<unknown> {
  const nodes = await world.store.nodesOf({ nodePoolId: pool })
  const ledger = (await world.store.listLedger(SCOPE, { kinds: ['Machine'] }, ALL)).items
  return {
    pool: shows(await world.store.findNodePool(pool)), nodes: nodes.map(shows).sort(), closed: [...world.tenant.insides.values()].flatMap(inside => [...inside.nodes.values()].filter(node => node.unschedulable || node.taints.length > 0)).length,
    machines: [...world.machines.made.values()].map(machine => machine.power).sort(), records: (await world.store.machinesOfRegion(REGION)).length,
    ledger: ledger.map(({ state, power, owner }) => `${state} ${power} ${owner.kind}`).sort(), refusals: world.firstBoots.refusals,
  }
}

const lives = {
  'two are made': async () => {},
  'one is refused, waits and comes': async (scene: Scene, pool: string) => {
    scene.world.machines.stock = 0
    await resize(scene, pool, { desiredReplicas: 3 })
    await scene.pool(pool, 'Running StockOut')
    await scene.world.pass(MINUTE)
    scene.world.machines.stock = 3
    await come(scene, pool, ['Running Ok', 'Running Ok', 'Running Ok'])
  },
  'one is switched off and on again': async (scene: Scene, pool: string) => {
    await resize(scene, pool, { desiredReplicas: 1 })
    await come(scene, pool, ['Running Ok', 'Stopped Ok'])
    await resize(scene, pool, { desiredReplicas: 2 })
    await come(scene, pool, ['Running Ok', 'Running Ok'])
  },
  'one cannot be removed at first': async (scene: Scene, pool: string) => {
    const [node] = await scene.world.store.nodesOf({ nodePoolId: pool })
    scene.world.machines.held.set(node!.spec.machine!, new MachineHeld('DeleteInstance: it is protected'))
    await resize(scene, pool, { desiredReplicas: 1 }, true)
    await scene.users.deleteNodes([node!.id], 'Destroy')
    await scene.node(node!.id, 'Failed ResourceCleanupFailed')
    scene.world.machines.held.clear()
    await scene.users.deleteNodes([node!.id], 'Destroy')
    await scene.node(node!.id, 'gone')
  },
  'all go with their pool': async (scene: Scene, pool: string) => {
    await scene.users.deletePool(pool, 'Destroy')
    await scene.pool(pool, 'gone')
  },
} as const

async function resize(scene: Scene, pool: string, change: Partial<Scaling>, release = false): Promise<void> {
  const { spec: { scaling } } = (await scene.world.store.findNodePool(pool))!
  const { mode: _, ...without } = scaling!
  await scene.users.updatePool(pool, { scaling: { ...release ? without : scaling!, ...change } })
}

async function come(scene: Scene, pool: string, to: readonly string[]): Promise<void> {
  await scene.world.until(`members ${to.join()}`, async () => (await scene.world.store.nodesOf({ nodePoolId: pool })).map(shows).sort().join() === to.join(), 3 * MINUTE)
}

async function live(plan: CrashPlan, life: keyof typeof lives): Promise<unknown> {
  const scene = await Scene.begin(ports => ({
    store: crashing(ports.store, plan), host: ports.host, tenant: crashing(ports.tenant, plan, ['inside']), machines: crashing(ports.machines, plan),
  }))
  const cluster = await scene.users.createCluster()
  await scene.cluster(cluster, 'Running Ok')
  if (life !== 'two are made') plan.isWaiting = true
  const pool = await scene.users.createPool(cluster, { type: 'edge-machine-pool', scaling: SCALING })
  await come(scene, pool, ['Running Ok', 'Running Ok'])
  plan.isWaiting = false
  await lives[life](scene, pool)
  plan.isWaiting = true
  await scene.world.pass(5 * SECOND)
  const end = await books(scene, pool)
  await scene.end()
  return end
}

describe('the process dies at a call of a port, once, and every machine is there once, or gone', () => {
  for (const life of Object.keys(lives) as (keyof typeof lives)[]) {
    for (const when of ['before', 'after'] as const) {
      test(`${life}: ${when} each call`, async () => {
        const counted: CrashPlan = { calls: 0, at: -1, when }
        const whole = await live(counted, life)
        assert.ok(counted.calls > 10, 'the plan must bite')
        // A crash after one call differs from one before the next only in what was not yet done in memory.
        for (let at = 0; at < counted.calls; at += when === 'before' ? 1 : 4) assert.deepEqual(await live({ calls: 0, at, when }, life), whole, `crash at call ${at}`)
      })
    }
  }
})
