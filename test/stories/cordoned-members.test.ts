import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANY_CLUSTER, FreshRegions, pairOf } from '#test/harness/fresh-regions.ts'

/** Nodes of a simulated region have four processors: each takes one pod, and cluster DNS beside it. */
describe('a member that somebody cordoned, of a pool that may have no more while a pod waits', () => {
  const regions = new FreshRegions('cordoned')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const nodes = async () => (await regions.nodes()).map(node => ({ id: String(node['Id']), name: String(node['Name']), pair: pairOf(node) }))
  const pairs = async () => (await nodes()).map(({ pair }) => pair).sort()
  const waits = async () => (await regions.podPlaces()).filter(one => one.endsWith('nowhere'))
  const thePool = async () => (await done('ListEdgeNodePools')).Items?.[0] ?? {}
  const poolPair = async () => pairOf(await thePool())
  const because = async () => String((await done('ExplainStatus', { Id: (await thePool())['Id'] }))['Because'])
  const changes = async () => (await regions.server.history(regions.region)).filter(({ Kind }) => Kind === 'Node').length

  async function pool(AutoScaleConfig: object = {}) {
    const { Id: ClusterId = '' } = await done('CreateCluster', ANY_CLUSTER)
    await step('60s')
    await done('CreateEdgeNodePool', {
      ClusterId, Name: 'burst', NodePoolType: 'edge-machine-pool',
      ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: true, MinReplicas: 0, MaxReplicas: 2, DesiredReplicas: 2, Priority: 10, ...AutoScaleConfig }, InstanceArea: { AreaName: 'north' } },
    })
    await step('5m')
    const run = async (Pods: number) => {
      await done('SetWorkload', { ClusterId, Name: 'web', Pods, Cpu: '3500m', MemoryMiB: 100 })
      await step('1m')
    }
    await run(1)
    return run
  }

  const isFree = async ({ name }: { readonly name: string }) => !(await regions.podPlaces()).some(place => place.includes(name))
  async function cordon(isToBeFree: boolean) {
    for (const node of await nodes()) {
      if (await isFree(node) !== isToBeFree) continue
      await done('SetNodeSchedulable', { Id: node.id, Schedulable: false })
      await step('1s')
      return node
    }
    throw new Error('There is no such node')
  }

  for (const DesiredReplicas of [2, 0]) {
    for (const Mode of ['Release', 'Recycle']) {
      test(`leaves for a machine that takes it once it carried nothing for ten minutes (${DesiredReplicas} desired, ${Mode})`, async () => {
        const run = await pool({ DesiredReplicas, Mode })
        await run(2)
        await run(1)
        const { id } = await cordon(true)
        await run(2)
        assert.deepEqual([(await waits()).length, await pairs()], [1, ['Running/Ok', 'Running/Unschedulable']])
        await step('7m')
        assert.deepEqual([(await waits()).length, await pairs()], [1, ['Running/Ok', 'Running/Unschedulable']], 'somebody may be about to open it again')
        await step('10m')
        assert.deepEqual([await waits(), await pairs(), (await nodes()).some(node => node.id === id)], [[], ['Running/Ok', 'Running/Ok'], false])
        const before = await changes()
        await step('6h')
        assert.equal(await changes(), before)
      })
    }
  }

  test('has ten minutes from its cordon on, however long it carried nothing before', async () => {
    const run = await pool({ DesiredReplicas: 0 })
    await run(2)
    await run(1)
    await step('8m')
    const { id } = await cordon(true), isThere = async () => (await nodes()).some(node => node.id === id && node.pair === 'Running/Unschedulable')
    await run(2)
    assert.ok(await isThere())
    await step('8m')
    assert.ok(await isThere())
    await step('10m')
    assert.deepEqual([await waits(), await pairs(), await isThere()], [[], ['Running/Ok', 'Running/Ok'], false])
  })

  test('stays where it carries a pod, and where no pod waits', async () => {
    const run = await pool()
    await cordon(false)
    await step('3h')
    await run(2)
    await run(3)
    const before = [await nodes(), await changes()]
    assert.deepEqual([(await waits()).length, await pairs()], [1, ['Running/Ok', 'Running/Unschedulable']])
    await step('6h')
    assert.deepEqual([await nodes(), await changes()], before)
  })

  test('stays where it is open again before its time is over, and takes the pod', async () => {
    const run = await pool(), { id } = await cordon(true)
    await run(2)
    await step('7m')
    await done('SetNodeSchedulable', { Id: id, Schedulable: true })
    await step('1h')
    assert.deepEqual([await waits(), (await nodes()).some(node => node.id === id), await pairs()], [[], true, ['Running/Ok', 'Running/Ok']])
  })

  test('stays where fewer would run than callers allow, and the pool says so until it is open again', async () => {
    const run = await pool({ MinReplicas: 2 })
    const { id, name } = await cordon(true)
    await run(2)
    const before = [await nodes(), await changes()], says = `; pods wait, and ${name} is cordoned, carries nothing and keeps the place of a machine that would take them: it stays because no fewer than 2 may run`
    assert.ok((await because()).endsWith(says), await because())
    await step('6h')
    assert.deepEqual([await nodes(), await changes(), (await waits()).length], [...before, 1])
    assert.ok((await because()).endsWith(says))
    for (const [action, none, some, why] of [
      ['SetQuota', { Kind: 'Machine', Limit: 1 }, { Kind: 'Machine', Limit: 2 }, 'the account may have 1 machine by its quota, and has 2'], ['SetBalance', { Amount: 0 }, { Unlimited: true }, 'the account is in arrears'],
    ] as const) {
      await done(action, none)
      await step('1h')
      await run(1)
      await run(2)
      assert.ok((await because()).endsWith(`: it stays because no machine comes in its place: ${why}`), await because())
      await done(action, some)
      await run(1)
      await run(2)
      assert.ok((await because()).endsWith(says), await because())
    }
    await done('SetNodeSchedulable', { Id: id, Schedulable: true })
    await step('1m')
    assert.deepEqual([await waits(), (await because()).includes('cordoned')], [[], false])
  })

  for (const Mode of ['Release', 'Recycle']) {
    test(`leaves for a machine that takes it under a quota, too (${Mode})`, async () => {
      const run = await pool({ MaxReplicas: 5, Mode })
      await done('SetQuota', { Kind: 'Machine', Limit: 2 })
      const { id } = await cordon(true)
      await run(2)
      assert.deepEqual([(await waits()).length, await pairs(), await poolPair()], [1, ['Running/Ok', 'Running/Unschedulable'], 'Running/LimitedByQuota'])
      await step('7m')
      assert.deepEqual([(await waits()).length, await pairs()], [1, ['Running/Ok', 'Running/Unschedulable']], 'somebody may be about to open it again')
      await step('10m')
      assert.deepEqual([await waits(), await pairs(), (await nodes()).some(node => node.id === id), await poolPair()], [[], ['Running/Ok', 'Running/Ok'], false, 'Running/Ok'])
      const before = await changes()
      await step('6h')
      assert.equal(await changes(), before)
    })
  }

  test('stays under a quota that is below what there is even without it', async () => {
    const run = await pool({ MaxReplicas: 5, DesiredReplicas: 4 })
    await done('SetQuota', { Kind: 'Machine', Limit: 1 })
    for (let left = 3; left > 0; left--) await cordonOneMore()
    await run(2)
    await step('2d')
    assert.deepEqual([(await waits()).length, await pairs(), await poolPair()], [1, ['Running/Ok', 'Running/Unschedulable', 'Running/Unschedulable', 'Running/Unschedulable'], 'Running/LimitedByQuota'])
  })

  for (const [why, sets, said] of [
    ['the quota is below what it has even without it', ['SetQuota', { Kind: 'Machine', Limit: 1 }], 'no machine comes in its place: the account may have 1 machine by its quota, and has 2'],
    ['its account is in arrears', ['SetBalance', { Amount: 0 }], 'no machine comes in its place: the account is in arrears'],
  ] as const) {
    test(`stays in a pool that has its most where ${why}, which the pool says, and leaves once that is over`, async () => {
      const run = await pool(), { id, name } = await cordon(true), isThere = async () => (await nodes()).some(node => node.id === id)
      await run(2)
      await done(sets[0], sets[1])
      await step('1h')
      assert.deepEqual([(await waits()).length, await isThere(), await pairs()], [1, true, ['Running/Ok', 'Running/Unschedulable']])
      assert.ok((await because()).endsWith(`; pods wait, and ${name} is cordoned, carries nothing and keeps the place of a machine that would take them: it stays because ${said}`), await because())
      await done(sets[0], sets[0] === 'SetQuota' ? { Kind: 'Machine', Limit: 2 } : { Unlimited: true })
      await step('2h')
      assert.deepEqual([await waits(), await isThere(), await pairs(), (await because()).includes('cordoned')], [[], false, ['Running/Ok', 'Running/Ok'], false])
    })
  }

  test('stays under a quota where fewer would run than callers allow, and the pool says so', async () => {
    const run = await pool({ MinReplicas: 2, MaxReplicas: 5 })
    await done('SetQuota', { Kind: 'Machine', Limit: 2 })
    const { name } = await cordon(true)
    await run(2)
    await step('6h')
    assert.deepEqual([(await waits()).length, await pairs(), await poolPair()], [1, ['Running/Ok', 'Running/Unschedulable'], 'Running/LimitedByQuota'])
    assert.match(await because(), new RegExp(`; pods wait, and ${name} is cordoned, .* because no fewer than 2 may run$`))
  })

  for (const MaxReplicas of [4, 9]) {
    test(`of several one goes at a time, until nothing waits${MaxReplicas === 4 ? '' : ', under a quota, too: a machine came in place of each'}`, async () => {
      const run = await pool({ MaxReplicas, DesiredReplicas: 4 })
      if (MaxReplicas > 4) await done('SetQuota', { Kind: 'Machine', Limit: 4 })
      for (let left = 3; left > 0; left--) await cordonOneMore()
      await run(3)
      assert.deepEqual(await pairs(), ['Running/Ok', 'Running/Unschedulable', 'Running/Unschedulable', 'Running/Unschedulable'])
      await step('6h')
      assert.deepEqual([await waits(), await pairs()], [[], ['Running/Ok', 'Running/Ok', 'Running/Ok', 'Running/Unschedulable']])
    })
  }

  async function cordonOneMore() {
    for (const node of await nodes()) {
      if (node.pair !== 'Running/Ok' || !(await isFree(node))) continue
      await done('SetNodeSchedulable', { Id: node.id, Schedulable: false })
      return step('1s')
    }
  }
})
