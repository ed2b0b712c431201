import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Scaling } from '#model/node-pool/record.ts'
import { MachineHeld, type MachineOrder } from '#ports/machines.ts'
import { retryRefused } from '#ports/refused-pools.ts'
import { crashing, type CrashPlan } from '#test/harness/crashing.ts'
import { FreshRegions, pairOf } from '#test/harness/fresh-regions.ts'
import { shows } from '#test/harness/world/users.ts'
import { Scene } from '#test/harness/world/scene.ts'
import type { WorldPorts } from '#test/harness/world.ts'

describe('what a refused pool tried to have, and what cannot be taken back', () => {
  const regions = new FreshRegions('leftover')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const shown = (pool: string) => regions.server.shows('ListEdgeNodePools', pool, regions.region)
  const why = async (Id: string) => String((await done('ExplainStatus', { Id }))['Because'])
  const stock = (Count?: number) => done('SetStock', { Kind: 'Machine', ...Count === undefined ? { Unlimited: true } : { Count } })
  const fault = async (Call: string, Effect: object, Times?: number) => (await done('InjectFault', { Port: 'machines', Call, Effect, ...Times !== undefined && { Times } })).Id
  const owners = async () => ((await done('ListLedger', { PageSize: 100, Filter: { Kinds: ['Machine'] } })).Items ?? []).filter(({ ProviderId }) => ProviderId !== undefined).map(({ State, Owner }) => `${String(State)} ${(Owner as { Kind: string }).Kind}`).toSorted()
  const running = (count: number) => Array.from({ length: count }, () => 'Running/Ok')
  const nothingLeft = async (ClusterId: string) => {
    await done('ClearFault', { All: true })
    // What it waited for may come now, and a cluster whose pools move is not deleted.
    await step('20m')
    await done('DeleteCluster', { Id: ClusterId, CascadingDeleteResources: ['All'] })
    await step('2h')
    assert.deepEqual([await owners(), await regions.worldPowers()], [[], []])
  }

  /** A pool without machines that wants `wanted` and gets none; of the next one that it tries the answer is lost, and its removal ends in `effect`. */
  const triedInVain = async (wanted: number, effect: 'protected' | 'fail') => {
    const { ClusterId, NodePoolId, to } = await regions.machinePool()
    await stock(0)
    await to(wanted)
    await step('2m')
    assert.equal(await shown(NodePoolId), 'Running/StockOut')
    await fault('ensureGone', { Type: effect })
    await fault('ensure', { Type: 'half' }, 1)
    return { ClusterId, NodePoolId, to }
  }

  /** It was made, and is wanted no more before it could be taken back; then its removal is refused. */
  const heldUnwanted = async (to: (count: number) => Promise<unknown>) => {
    await stock()
    await step('1m')
    await to(0)
    await done('ClearFault', { All: true })
    await fault('ensureGone', { Type: 'protected' })
  }

  test('is the machine of the next node where it is whole, and the others are had', async () => {
    const { ClusterId, NodePoolId } = await triedInVain(2, 'protected')
    await stock()
    await step('10m')
    assert.deepEqual([await shown(NodePoolId), await regions.nodePairs(), await owners(), await regions.worldPowers()], ['Running/Ok', running(2), ['Held Node', 'Held Node'], ['on', 'on']])
    await nothingLeft(ClusterId)
  })

  test("is the pool's own where nothing is wanted, which is told and no failure, and is the next node's machine later", async () => {
    const { ClusterId, NodePoolId, to } = await triedInVain(1, 'fail')
    await heldUnwanted(to)
    await step('10m')
    assert.deepEqual([await shown(NodePoolId), await owners(), await regions.worldPowers()], ['Running/Ok', ['Held NodePool'], ['off']])
    assert.match(await why(NodePoolId), /; the machine burst-\w+, which is there, cannot be taken back: The machine burst-\w+ \(m\w+\) is protected against deletion: ReleaseMachine was refused$/)
    await to(2)
    await step('10m')
    assert.deepEqual([await shown(NodePoolId), await regions.nodePairs(), await owners(), await regions.worldPowers()], ['Running/Ok', running(2), ['Held Node', 'Held Node'], ['on', 'on']])
    assert.doesNotMatch(await why(NodePoolId), /taken back/)
    await nothingLeft(ClusterId)
  })

  test('goes by itself once nothing stands in its way', async () => {
    const { ClusterId, NodePoolId, to } = await triedInVain(1, 'fail')
    await heldUnwanted(to)
    await step('10h')
    assert.deepEqual(await owners(), ['Held NodePool'])
    await done('ClearFault', { All: true })
    await step('90m')
    assert.deepEqual([await shown(NodePoolId), await owners(), await regions.worldPowers()], ['Running/Ok', [], []])
    assert.doesNotMatch(await why(NodePoolId), /taken back/)
    await nothingLeft(ClusterId)
  })

  test('keeps nobody from having others where part of it may be gone', async () => {
    const { ClusterId, NodePoolId } = await triedInVain(2, 'fail')
    await stock()
    await step('20m')
    assert.deepEqual([await shown(NodePoolId), await regions.nodePairs(), await owners(), await regions.worldPowers()], ['Running/Ok', running(2), ['Held Node', 'Held Node', 'Held NodePool'], ['off', 'on', 'on']])
    assert.match(await why(NodePoolId), /; the machine burst-\w+, which is there, cannot be taken back: The machine burst-\w+ \(m\w+\)/)
    await nothingLeft(ClusterId)
  })

  test('is of no number where each one that is tried is left', async () => {
    const { ClusterId, NodePoolId } = await triedInVain(2, 'fail')
    await fault('ensure', { Type: 'half' })
    await stock()
    await step('30h')
    assert.equal(await shown(NodePoolId), 'Running/ScalingFailed')
    const left = await regions.worldPowers()
    assert.ok(left.length <= 4, `${left.length} machines are left`)
    assert.match(await why(NodePoolId), /is there, though the call that makes it failed/)
    await nothingLeft(ClusterId)
  })

  test('is no machine of one that is in arrears until they are paid', async () => {
    const { ClusterId, NodePoolId, to } = await triedInVain(1, 'fail')
    await heldUnwanted(to)
    await step('10m')
    await done('SetBalance', { Amount: 0 })
    await step('1s')
    await to(1)
    await step('10m')
    assert.deepEqual([await shown(NodePoolId), await regions.nodePairs(), await regions.worldPowers()], ['Running/Balance', [], ['off']])
    await done('SetBalance', { Unlimited: true })
    await step('20m')
    assert.deepEqual([await shown(NodePoolId), await regions.nodePairs(), await regions.worldPowers()], ['Running/Ok', running(1), ['on']])
    await nothingLeft(ClusterId)
  })

  test('keeps no stopped node from being started', async () => {
    const { ClusterId, NodePoolId } = await regions.machinePool()
    await done('UpdateEdgeNodePoolConfig', { ClusterId, Id: NodePoolId, ElasticConfig: { AutoScaleConfig: { Enabled: true, MinReplicas: 0, MaxReplicas: 4, DesiredReplicas: 0, Priority: 10, Mode: 'Recycle' } } })
    const pods = (Pods: number) => done('SetWorkload', { ClusterId, Name: 'batch', Pods, Cpu: '1', MemoryMiB: 512 })
    const statuses = async () => (await regions.nodes()).map(pairOf).toSorted()
    await pods(4)
    await step('5m')
    await pods(0)
    await step('30m')
    assert.deepEqual(await statuses(), ['Stopped/Ok', 'Stopped/Ok'])
    await stock(0)
    await pods(12)
    await step('5m')
    await fault('ensureGone', { Type: 'protected' })
    await fault('ensure', { Type: 'slow', For: '20s' }, 1)
    await stock()
    await step('5s')
    await pods(0)
    await step('40m')
    assert.deepEqual([await statuses(), await shown(NodePoolId)], [['Stopped/Ok', 'Stopped/Ok'], 'Running/Ok'])
    await pods(2)
    await step('5m')
    assert.deepEqual([await statuses(), await owners()], [['Running/Ok', 'Stopped/Ok'], ['Held Node', 'Held Node', 'Intended NodePool']])
    await nothingLeft(ClusterId)
  })
})

const SECOND = 1_000, MINUTE = 60 * SECOND

/** In memory: the answer to the first claim that is tried is lost, and its provider takes nothing back. */
function losesOneAnswer(ports: WorldPorts): WorldPorts {
  let made = 0
  return { ...ports, machines: new Proxy(ports.machines, {
    get: (target, name) => {
      if (name === 'ensureGone') return async (id: string) => { throw new MachineHeld(`ReleaseMachine: ${id} is protected`) }
      if (name !== 'ensure') return Reflect.get(target, name) as unknown
      return async (order: MachineOrder) => {
        const seen = await target.ensure(order)
        if (made++ === 0) throw new Error('the connection was lost before the answer')
        return seen
      }
    },
  }) }
}

test('a process that dies while what cannot be taken back becomes a node, at any call, makes no second machine of one that is wanted', async () => {
  const scaling: Scaling = { enabled: false, minReplicas: 0, maxReplicas: 5, desiredReplicas: 1, sentDesiredReplicas: 1, priority: 10 }
  const life = async (plan: CrashPlan): Promise<void> => {
    plan.isWaiting = true
    const scene = await Scene.begin(ports => {
      const losing = losesOneAnswer(ports)
      return { ...losing, store: crashing(losing.store, plan), machines: crashing(losing.machines, plan, ['ensure', 'ensureGone']) }
    }), { world, users } = scene
    const cluster = await scene.runningCluster()
    world.machines.stock = 0
    const pool = await users.createPool(cluster, { name: 'late', type: 'edge-machine-pool', scaling })
    await scene.pool(pool, 'Running StockOut')
    world.machines.stock = 5
    await world.store.write(world.clock.now(), async tx => { await retryRefused(tx, (await world.store.findNodePool(pool))!, world.clock.now()) })
    plan.isWaiting = false
    await world.until(`it has its node, though the process died ${plan.when} call ${plan.at}`, async () => {
      plan.isWaiting = true
      const has = (await world.store.nodesOf({ nodePoolId: pool })).map(shows).join() === 'Running Ok'
      plan.isWaiting = has
      return has
    }, 10 * MINUTE)
    assert.deepEqual([world.machines.stock, (await world.store.findNodePool(pool))?.facts.leftovers], [4, undefined])
    await scene.end()
  }
  const counted: CrashPlan = { calls: 0, at: -1, when: 'before' }
  await life(counted)
  assert.ok(counted.calls > 20, 'the plan must bite')
  for (let at = 0; at < counted.calls; at++) await life({ calls: 0, at, when: at % 2 === 0 ? 'before' : 'after' })
})
