import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Scaling } from '#model/node-pool/record.ts'
import type { Transaction } from '#ports/store.ts'
import { ANY_CLUSTER, FreshRegions, machineOf } from '#test/harness/fresh-regions.ts'
import { Scene } from '#test/harness/world/scene.ts'
import { shows } from '#test/harness/world/users.ts'

describe('a pool that becomes smaller gives back what is broken before what works', () => {
  const regions = new FreshRegions('broken')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const items = () => regions.nodes(), nodes = () => regions.nodePairs()
  const RUNNING = 'Running/Ok'

  const poolOf = async (scale: object) => {
    const { Id: ClusterId = '' } = await done('CreateCluster', ANY_CLUSTER)
    await step('60s')
    const elastic = (AutoScaleConfig: object) => ({ CloudServerIdentity: 'c1', AutoScaleConfig: { MinReplicas: 0, MaxReplicas: 5, Priority: 10, ...scale, ...AutoScaleConfig }, InstanceArea: { AreaName: 'north' } })
    const { Id = '' } = await done('CreateEdgeNodePool', { ClusterId, Name: 'burst', NodePoolType: 'edge-machine-pool', ElasticConfig: elastic({}) })
    await step('5m')
    return { to: (DesiredReplicas: number) => done('ScaleUpEdgeNodePool', { ClusterId, NodePoolId: Id, DesiredReplicas }) }
  }

  test('an autoscaler takes a machine that was switched off a moment ago, and no idle one', async () => {
    for (const mode of ['Release', 'Recycle']) {
      const pool = await poolOf({ Enabled: true, DesiredReplicas: 3, Mode: mode })
      await pool.to(2)
      await step('9m')
      assert.deepEqual(await nodes(), [RUNNING, RUNNING, RUNNING])
      await done('SetMachine', { Id: machineOf((await items())[0]), Power: 'off' })
      await step('2h')
      assert.deepEqual(await nodes(), mode === 'Release' ? [RUNNING, RUNNING] : [RUNNING, RUNNING, 'Stopped/Ok'])
      await done('DeleteCluster', { Id: (await done('ListClusters')).Items?.[0]?.['Id'], CascadingDeleteResources: ['All'] })
      await step('10m')
    }
  })

  test('an autoscaler gives a crashed one back also where no other is idle', async () => {
    const pool = await poolOf({ Enabled: true, DesiredReplicas: 2 })
    await done('SetMachine', { Id: machineOf((await items())[0]), Power: 'off' })
    await pool.to(1)
    await step('2h')
    assert.deepEqual(await nodes(), [RUNNING])
  })

  test('a machine that is lost is given back, and never said to be switched off', async () => {
    for (const enabled of [true, false]) {
      const pool = await poolOf({ Enabled: enabled, DesiredReplicas: 2, Mode: 'Recycle' })
      await done('RemoveMachine', { Id: machineOf((await items())[0]) })
      await step('1m')
      assert.deepEqual(await nodes(), ['Failed/NotReady', RUNNING])
      await pool.to(1)
      await step('2h')
      assert.deepEqual(await nodes(), [RUNNING], `autoscaler: ${enabled}`)
      await done('DeleteCluster', { Id: (await done('ListClusters')).Items?.[0]?.['Id'], CascadingDeleteResources: ['All'] })
      await step('10m')
    }
  })

  test('callers have a crashed one taken before one that is still coming', async () => {
    const pool = await poolOf({ Enabled: false, DesiredReplicas: 1 })
    await done('SetMachine', { Id: machineOf((await items())[0]), Power: 'off' })
    await pool.to(2)
    await step('1s')
    assert.deepEqual(await nodes(), ['Creating/Progressing', 'Failed/NotReady'])
    await pool.to(1)
    await step('5m')
    assert.deepEqual(await nodes(), [RUNNING])
  })
})

test('a pass that brings a pool to its size reads its members once under their lock', async () => {
  const scaling: Scaling = { enabled: false, minReplicas: 0, maxReplicas: 5, desiredReplicas: 3, sentDesiredReplicas: 3, priority: 10 }
  const reads: string[][] = []
  const counted = (tx: Transaction): Transaction => {
    const own: string[] = []
    reads.push(own)
    return new Proxy(tx, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown
        if (name === 'nodesOf') return (parent: Parameters<Transaction['nodesOf']>[0]) => {
          own.push(JSON.stringify(parent))
          return target.nodesOf(parent)
        }
        return typeof value === 'function' ? value.bind(target) as unknown : value
      },
    })
  }
  const scene = await Scene.begin(ports => ({
    ...ports, store: new Proxy(ports.store, {
      get(target, name) {
        if (name === 'write') return (now: number, work: (tx: Transaction) => Promise<unknown>) => target.write(now, tx => work(counted(tx)))
        const value = Reflect.get(target, name, target) as unknown
        return typeof value === 'function' ? value.bind(target) as unknown : value
      },
    }),
  })), { world, users } = scene
  const pool = await users.createPool(await scene.runningCluster(), { type: 'edge-machine-pool', scaling })
  const members = async () => (await world.store.nodesOf({ nodePoolId: pool })).map(shows).sort().join()
  await world.until('three members', async () => (await members()) === 'Running Ok,Running Ok,Running Ok')
  const [node] = await world.store.nodesOf({ nodePoolId: pool })
  await world.machines.crash(node!.spec.machine!)
  await scene.node(node!.id, 'Failed NotReady')
  reads.length = 0
  await users.updatePool(pool, { scaling: { ...scaling, desiredReplicas: 2 } })
  await world.until('two members', async () => (await members()) === 'Running Ok,Running Ok')
  assert.ok(reads.some(own => own.length > 0), 'something must have been read')
  assert.deepEqual(reads.filter(own => new Set(own).size < own.length), [])
  await scene.end()
})
