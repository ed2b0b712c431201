import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { MachineOrder, MachineSeen } from '#ports/machines.ts'
import { SimulatedMachines } from '#providers/simulated/machines/simulated-machines.ts'
import { FreshRegions } from '#test/harness/fresh-regions.ts'

const NO_ROOM = 'mkfs.ext4: No space left on device'

describe('a machine whose making failed half way, or was never told', () => {
  const regions = new FreshRegions('half')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const shown = (pool: string) => regions.server.shows('ListEdgeNodePools', pool, regions.region)
  const powers = async () => ((await done('ListMachines')).Items ?? []).map(({ Power }) => Power)
  const ledger = async () => ((await done('ListLedger', { Filter: { Kinds: ['Machine'], States: ['Intended', 'Held'] } })).Items ?? []).map(({ State }) => State)
  const fault = (Effect: object, Call = 'ensure') => done('InjectFault', { Port: 'machines', Call, Effect, Times: 1 })

  const pool = () => regions.machinePool()

  /** A provider that writes the order down first and fails at what comes next, as boxes do; mended by what is answered. */
  function failsHalfWay(t: TestContext) {
    const ensure = Reflect.get(SimulatedMachines.prototype, 'ensure') as (this: SimulatedMachines, order: MachineOrder) => Promise<MachineSeen>
    let isMended = false
    t.mock.method(SimulatedMachines.prototype, 'ensure', async function (this: SimulatedMachines, order: MachineOrder) {
      if (isMended) return await ensure.call(this, order)
      await ensure.call(this, { ...order, power: 'off' })
      throw new Error(NO_ROOM)
    })
    return () => { isMended = true }
  }

  test('is not counted as made: its errors are tried against for five minutes and told as they are', async t => {
    const { to } = await pool()
    failsHalfWay(t)
    await to(1)
    await step('20m')
    assert.deepEqual([await regions.nodePairs(), await ledger()], [['Failed/Unknown'], ['Intended']])
    const [node] = await regions.nodes()
    const because = String((await done('ExplainStatus', { Id: node?.['Id'] }))['Because'])
    assert.ok(because.includes(`Its machine could not be made in 5 min: ${NO_ROOM}`), because)
  })

  test('is gone on with once its provider is mended, and is switched on, also where its account is in arrears by then', async t => {
    for (const balance of [-1, 1_000]) {
      const { ClusterId, NodePoolId, to } = await pool()
      const mend = failsHalfWay(t)
      await to(1)
      await step('500ms')
      await done('SetBalance', { Amount: balance })
      mend()
      await step('10m')
      assert.deepEqual([await ledger(), await powers()], [['Held'], ['on']])
      await done('SetBalance', { Unlimited: true })
      await step('10m')
      assert.deepEqual([await shown(NodePoolId), await regions.nodePairs(), await powers()], ['Running/Ok', ['Running/Ok'], ['on']])
      await done('DeleteCluster', { Id: ClusterId, CascadingDeleteResources: ['All'] })
      await step('1h')
      assert.deepEqual(await ledger(), [])
    }
  })

  for (const { name, break: breakIt } of [
    { name: 'the next try', break: async () => { await fault({ Type: 'half' }) } },
    { name: 'the very call that made it', break: async () => { await fault({ Type: 'half', Code: 'StockOut' }) } },
  ]) {
    test(`is kept where ${name} is refused, and goes with its cluster`, async () => {
      const { ClusterId, NodePoolId, to } = await pool()
      await breakIt()
      await to(1)
      await step('50ms')
      if (name === 'the next try') await fault({ Type: 'fail', Code: 'StockOut' })
      await step('1h')
      assert.equal(await shown(NodePoolId), 'Running/Ok')
      assert.deepEqual([await ledger(), await regions.worldPowers()], [['Held'], ['on']])
      await done('DeleteCluster', { Id: ClusterId, CascadingDeleteResources: ['All'] })
      await step('2h')
      assert.deepEqual(await regions.worldPowers(), [])
    })
  }

  /** A provider that answers no look until it is mended by what is answered. */
  function answersNoLook(t: TestContext) {
    const look = Reflect.get(SimulatedMachines.prototype, 'look') as (this: SimulatedMachines, id: string) => Promise<MachineSeen | undefined>
    let isMended = false, asked = 0
    t.mock.method(SimulatedMachines.prototype, 'look', async function (this: SimulatedMachines, id: string) {
      asked += 1
      if (!isMended) throw new Error('DescribeInstances: timeout')
      return await look.call(this, id)
    })
    return { asked: () => asked, mend: () => { isMended = true } }
  }

  for (const { name, removed } of [{ name: 'making', removed: false }, { name: 'removal', removed: true }]) {
    test(`is known some time after its provider answers again, where that answered nothing when its ${name} was given up`, async t => {
      const { ClusterId, NodePoolId, to } = await pool()
      const { Id: half } = await done('InjectFault', { Port: 'machines', Call: 'ensure', Effect: { Type: 'half' } })
      const { asked, mend } = answersNoLook(t)
      await to(1)
      await step('500ms')
      if (removed) {
        await done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'fail' } })
        const [node] = await regions.nodes()
        await done('DeleteEdgeNodes', { ClusterId, NodePoolId, Ids: [node?.['Id']], CascadingDeleteResources: ['Ecs'] })
      }
      await step('30m')
      assert.deepEqual([await ledger(), await regions.worldPowers()], [['Intended'], ['on']])
      const before = asked()
      await step('10h')
      assert.ok(asked() > before && asked() <= before + 15, `asked ${asked() - before} times in ten hours`)
      mend()
      await done('ClearFault', { Id: half })
      await step('1h')
      assert.deepEqual([await ledger(), await powers(), await regions.nodePairs()], [['Held'], ['on'], [removed ? 'Failed/ResourceCleanupFailed' : 'Running/Ok']])
      const known = asked()
      await step('10h')
      assert.ok(asked() <= known + 2, `asked ${asked() - known} times for what is known`)
      await done('ClearFault', { All: true })
      await done('DeleteCluster', { Id: ClusterId, CascadingDeleteResources: ['All'] })
      await step('1h')
      assert.deepEqual([await ledger(), await regions.worldPowers()], [[], []])
    })
  }

  test('of a bare claim is taken back where it is refused', async () => {
    const { ClusterId, NodePoolId, to } = await pool()
    await done('SetStock', { Kind: 'Machine', Count: 0 })
    await to(1)
    await step('10m')
    assert.equal(await shown(NodePoolId), 'Running/StockOut')
    await fault({ Type: 'half', Code: 'StockOut' })
    await done('SetStock', { Kind: 'Machine', Unlimited: true })
    await step('1s')
    assert.deepEqual(await regions.worldPowers(), [])
    await step('1h')
    assert.deepEqual([await shown(NodePoolId), await regions.worldPowers()], ['Running/Ok', ['on']])
    await done('DeleteCluster', { Id: ClusterId, CascadingDeleteResources: ['All'] })
    await step('2h')
    assert.deepEqual(await regions.worldPowers(), [])
  })
})
