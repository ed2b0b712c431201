/** Machines of a provider that does what it is asked to and whose answers are lost, or that does not say for hours what is there. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { MachineRefused, type MachineOrder, type MachineSeen } from '#ports/machines.ts'
import { SimulatedMachines } from '#providers/simulated/machines/simulated-machines.ts'
import { FreshRegions } from '#test/harness/fresh-regions.ts'

describe('a machine of a provider whose answers are lost', () => {
  const regions = new FreshRegions('unanswered')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const ledger = async () => ((await done('ListLedger', { Filter: { Kinds: ['Machine'], States: ['Intended', 'Held'] } })).Items ?? []).map(({ State }) => State)

  const shown = (pool: string) => regions.server.shows('ListEdgeNodePools', pool, regions.region)

  const pool = () => regions.machinePool()

  /** The same with one machine, which is to go. */
  async function leaving(breakIt: () => Promise<unknown>) {
    const { ClusterId, NodePoolId, to } = await pool()
    await to(1)
    await step('10m')
    assert.deepEqual(await regions.nodePairs(), ['Running/Ok'])
    await breakIt()
    const [node] = await regions.nodes()
    const remove = () => done('DeleteEdgeNodes', { ClusterId, NodePoolId, Ids: [node?.['Id']], CascadingDeleteResources: ['Ecs'] })
    await remove()
    return { remove, Id: node?.['Id'] }
  }

  /** Each look at a machine ends so until it is mended; how often was looked. */
  function looks(t: TestContext, answer: () => undefined) {
    const look = Reflect.get(SimulatedMachines.prototype, 'look') as (this: SimulatedMachines, id: string) => Promise<MachineSeen | undefined>
    let isMended = false, asked = 0
    t.mock.method(SimulatedMachines.prototype, 'look', async function (this: SimulatedMachines, id: string) {
      asked += 1
      return isMended ? await look.call(this, id) : answer()
    })
    return { asked: () => asked, mend: () => { isMended = true }, blind: () => { isMended = false } }
  }
  const noAnswer = () => { throw new Error('DescribeInstances: timeout') }

  test('is gone, and costs nothing any more, once the time for its removal is over and nobody sees it', async () => {
    await leaving(() => done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'half' } }))
    await step('20m')
    assert.deepEqual([await regions.worldPowers(), await regions.nodePairs(), await ledger()], [[], [], []])
  })

  test('is held, and says so, where its removal is refused, also while nothing is seen of it', async t => {
    const { mend } = looks(t, () => undefined)
    const { remove } = await leaving(() => done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'protected' } }))
    await step('20m')
    mend()
    assert.deepEqual([await regions.nodePairs(), await ledger()], [['Failed/ResourceCleanupFailed'], ['Held']])
    await done('ClearFault', { All: true })
    await remove()
    await step('1m')
    assert.deepEqual([await regions.worldPowers(), await regions.nodePairs(), await ledger()], [[], [], []])
  })

  for (const isSeen of [true, false]) {
    test(`is asked for again where nobody could look when its removal was given up, and ${isSeen ? 'is as it is ordered' : 'goes'} once somebody can`, async t => {
      const { mend } = looks(t, noAnswer)
      await leaving(() => done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: isSeen ? 'fail' : 'half' } }))
      await step('20m')
      assert.deepEqual([await regions.nodePairs(), await ledger()], [['Failed/ResourceCleanupFailed'], ['Held']])
      mend()
      await step('2h')
      assert.deepEqual([await regions.nodePairs(), await ledger(), (await regions.worldPowers()).length], isSeen ? [['Failed/ResourceCleanupFailed'], ['Held'], 1] : [[], [], 0])
    })
  }

  for (const isOrdered of [false, true]) {
    test(`is asked for ever more seldom where its removal was refused${isOrdered ? ', also when it is ordered to be off' : ''}`, async t => {
      const { asked, mend } = looks(t, noAnswer)
      await leaving(() => done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'protected' }, Times: 1 }))
      await step('10m')
      const [machine] = (await done('ListMachines')).Items ?? []
      if (isOrdered) await done('SetMachine', { Id: machine?.['Id'], Power: 'off' })
      for (const { time, most } of isOrdered ? [{ time: '24h', most: 300 }, { time: '720h', most: 1_100 }, { time: '8760h', most: 1_100 }] : [{ time: '24h', most: 40 }, { time: '720h', most: 120 }, { time: '8760h', most: 500 }]) {
        const before = asked()
        for (let answer = await step(time); answer['Behind'] !== undefined;) answer = await step('0ms')
        assert.ok(asked() > before && asked() <= before + most, `asked ${asked() - before} times in ${time}`)
      }
      mend()
      // What nobody told would be found within an eighth of the time; that a fault is gone is told.
      await done('ClearFault', { All: true })
      await step('1h')
      assert.deepEqual([await regions.worldPowers(), await ledger()], [[isOrdered ? 'off' : 'on'], ['Held']])
    })
  }

  for (const order of [{ Power: 'off' }, { Link: 'cut' }]) {
    test(`is soon ${Object.values(order).join()}, as it is ordered, once somebody can look, however long ago its removal was refused`, async t => {
      const { mend, blind } = looks(t, noAnswer)
      await leaving(() => done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'protected' }, Times: 1 }))
      const machine = async () => ((await done('ListMachines')).Items ?? []).map(({ Id, Power, Link }) => ({ Id, Power, Link }))
      mend()
      await step('240h')
      const [{ Id } = {}] = await machine()
      for (let times = 1; times <= 2; times++) {
        blind()
        await done('SetMachine', { Id, ...order })
        await step('6h')
        assert.deepEqual(await regions.worldPowers(), ['on'])
        assert.deepEqual(await regions.worldLinks(), ['up'])
        mend()
        await step('5m')
        assert.deepEqual([await regions.worldPowers(), await regions.worldLinks()], order.Power ? [['off'], ['up']] : [['on'], ['cut']])
        await done('SetMachine', { Id, Power: 'on', Link: 'up' })
        await step('240h')
        assert.deepEqual([await regions.worldPowers(), await regions.worldLinks()], [['on'], ['up']])
      }
    })
  }

  for (const { by, told, refuse, allow, because } of [
    { by: 'sold out', told: 'StockOut', refuse: () => done('SetStock', { Kind: 'Machine', Count: 0 }), allow: () => done('SetStock', { Kind: 'Machine', Unlimited: true }), because: /could not be made in 5 min: .*stock/i },
    { by: 'in arrears', told: 'Balance', refuse: () => done('SetBalance', { Amount: -1 }), allow: () => done('SetBalance', { Unlimited: true }), because: /could not be made in 5 min: The account is in arrears/ },
  ]) {
    test(`that is ${by} is told as soon as somebody can look whether something of it is there`, async t => {
      const { NodePoolId, to } = await pool()
      const { mend } = looks(t, noAnswer)
      await refuse()
      await to(1)
      await step('3m')
      assert.deepEqual([await regions.nodePairs(), await shown(NodePoolId)], [['Creating/Progressing'], 'Scaling/Progressing'])
      mend()
      await step('1m')
      assert.deepEqual([await regions.nodePairs(), await shown(NodePoolId), await regions.worldPowers()], [[], `Running/${told}`, []])
    })

    test(`that is ${by} is given up, and says why, where nobody can look for longer than there is time`, async t => {
      const { ClusterId, NodePoolId, to } = await pool()
      const { mend, asked } = looks(t, noAnswer)
      await refuse()
      await to(1)
      await step('10m')
      assert.deepEqual([await regions.nodePairs(), await shown(NodePoolId), await ledger()], [['Failed/Unknown'], 'Running/Ok', ['Intended']])
      const [node] = await regions.nodes()
      assert.match(String((await done('ExplainStatus', { Id: node?.['Id'] }))['Because']), because)
      const before = asked()
      await step('10h')
      assert.ok(asked() > before && asked() <= before + 15, `asked ${asked() - before} times in ten hours`)
      await done('DeleteEdgeNodes', { ClusterId, NodePoolId, Ids: [node?.['Id']] })
      mend()
      await step('1h')
      assert.deepEqual([await regions.nodePairs(), await ledger()], [[], []])
    })

    test(`that is ${by} is told so by its pool once somebody can look, also where it was given up before, and is had when it can be`, async t => {
      const { NodePoolId, to } = await pool()
      const { mend } = looks(t, noAnswer)
      await refuse()
      await to(1)
      await step('10m')
      assert.deepEqual([await regions.nodePairs(), await shown(NodePoolId)], [['Failed/Unknown'], 'Running/Ok'])
      mend()
      await step('1h')
      assert.deepEqual([await regions.nodePairs(), await shown(NodePoolId), await ledger()], [[], `Running/${told}`, ['Intended']])
      await allow()
      await step('10m')
      assert.deepEqual([await regions.nodePairs(), await shown(NodePoolId), await ledger()], [['Running/Ok'], 'Running/Ok', ['Held']])
    })

    test(`that was ${by} and can be had by the time somebody can look is had then, also where it was given up before`, async t => {
      const { NodePoolId, to } = await pool()
      const { mend } = looks(t, noAnswer)
      await refuse()
      await to(1)
      await step('10m')
      await allow()
      assert.deepEqual(await regions.nodePairs(), ['Failed/Unknown'])
      mend()
      await step('1h')
      assert.deepEqual([await regions.nodePairs(), await shown(NodePoolId), await ledger()], [['Running/Ok'], 'Running/Ok', ['Held']])
    })
  }

  for (const isRefused of [false, true]) for (const isMended of [true, false]) {
    test(`that was made half, ${isRefused ? 'refused' : 'failed'} and given up while nobody could look is ${isMended ? 'made' : 'asked for once more, and given up again,'} once somebody sees that it is off`, async t => {
      const { to } = await pool()
      const { mend } = looks(t, noAnswer)
      const ensure = Reflect.get(SimulatedMachines.prototype, 'ensure') as (this: SimulatedMachines, order: MachineOrder) => Promise<MachineSeen>
      let isBroken = true, calls = 0
      t.mock.method(SimulatedMachines.prototype, 'ensure', async function (this: SimulatedMachines, order: MachineOrder) {
        calls += 1
        if (!isBroken) return await ensure.call(this, order)
        if (calls === 1) await ensure.call(this, { ...order, power: 'off' })
        else if (isRefused) throw MachineRefused.soldOut('RunInstances: sold out')
        throw new Error('RunInstances: internal error')
      })
      await to(1)
      await step('10m')
      assert.deepEqual([await regions.nodePairs(), await ledger(), await regions.worldPowers()], [['Failed/Unknown'], ['Intended'], ['off']])
      isBroken = !isMended
      calls = 1
      mend()
      await step('2h')
      assert.deepEqual([await regions.nodePairs(), await ledger(), await regions.worldPowers()], isMended ? [['Running/Ok'], ['Held'], ['on']] : [['Failed/Unknown'], ['Intended'], ['off']])
      if (!isMended) assert.equal(calls, 2)
    })
  }

  test('is known as soon as its provider answers for another one, however long it was not asked for itself', async t => {
    const { NodePoolId, to } = await pool()
    const { mend } = looks(t, noAnswer)
    await done('SetStock', { Kind: 'Machine', Count: 0 })
    await to(1)
    await step('20h')
    await to(2)
    await step('6m')
    assert.deepEqual([await regions.nodePairs(), await shown(NodePoolId)], [['Failed/Unknown', 'Failed/Unknown'], 'Running/Ok'])
    mend()
    await step('4m')
    assert.deepEqual([await regions.nodePairs(), await shown(NodePoolId)], [[], 'Running/StockOut'])
  })

  test('is made, or told as refused, also where nobody can tell how many may be had', async t => {
    const { NodePoolId, to } = await pool()
    t.mock.method(SimulatedMachines.prototype, 'supply', async () => { throw new Error('DescribeAvailableResource: timeout') })
    await to(2)
    await step('5m')
    assert.deepEqual(await regions.nodePairs(), ['Running/Ok', 'Running/Ok'])
    await done('SetStock', { Kind: 'Machine', Count: 0 })
    await to(3)
    await step('1m')
    assert.equal(await shown(NodePoolId), 'Running/StockOut')
    await done('SetStock', { Kind: 'Machine', Unlimited: true })
    await step('5m')
    assert.deepEqual([await regions.nodePairs(), await shown(NodePoolId)], [['Running/Ok', 'Running/Ok', 'Running/Ok'], 'Running/Ok'])
  })

  test('that was refused is tried for once more at once where nobody can tell any more whether that still holds', async t => {
    const { NodePoolId, to } = await pool()
    await done('SetStock', { Kind: 'Machine', Count: 0 })
    const supply = Reflect.get(SimulatedMachines.prototype, 'supply') as (this: SimulatedMachines) => Promise<string>
    const ensure = Reflect.get(SimulatedMachines.prototype, 'ensure') as (this: SimulatedMachines, order: MachineOrder) => Promise<MachineSeen>
    const calls: string[] = []
    t.mock.method(SimulatedMachines.prototype, 'supply', async function (this: SimulatedMachines) {
      if (calls.length > 0) throw new Error('DescribeAvailableResource: timeout')
      return await supply.call(this)
    })
    t.mock.method(SimulatedMachines.prototype, 'ensure', async function (this: SimulatedMachines, order: MachineOrder) {
      calls.push(order.id)
      return await ensure.call(this, order)
    })
    await to(1)
    await step('10s')
    assert.deepEqual([await shown(NodePoolId), calls.length], ['Running/StockOut', 2])
  })

  test('that a refused pool tries to have is had as soon as there are some again, also while nobody can look', async t => {
    const { NodePoolId, to } = await pool()
    const { asked, blind, mend } = looks(t, noAnswer)
    mend()
    await done('SetStock', { Kind: 'Machine', Count: 0 })
    await to(2)
    await step('10s')
    blind()
    await done('SetStock', { Kind: 'Machine', Count: 0 })
    await step('24h')
    assert.deepEqual([await regions.nodePairs(), await shown(NodePoolId)], [[], 'Running/StockOut'])
    assert.ok(asked() > 0 && asked() <= 150, `asked ${asked()} times in a day`)
    await done('SetStock', { Kind: 'Machine', Unlimited: true })
    await step('2h')
    assert.deepEqual([await regions.nodePairs(), await shown(NodePoolId)], [['Running/Ok', 'Running/Ok'], 'Running/Ok'])
  })
})
