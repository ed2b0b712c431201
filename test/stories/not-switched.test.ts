import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FreshRegions } from '#test/harness/fresh-regions.ts'

describe('a machine that its provider fails to switch on or off', () => {
  const regions = new FreshRegions('not-switched')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const fails = async (Effect: object) => String((await done('InjectFault', { Port: 'machines', Call: 'ensure', Effect: { Type: 'fail', ...Effect } }))['Id'])
  const scaling = (DesiredReplicas: number) => ({ ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 1, DesiredReplicas, Priority: 10, Mode: 'Recycle' }, InstanceArea: { AreaName: 'north' } } })

  /** A cluster with one pool that recycles its only machine. */
  async function shop() {
    const ClusterId = await regions.cluster()
    const { Id } = await done('CreateEdgeNodePool', { ClusterId, Name: 'burst', NodePoolType: 'edge-machine-pool', ...scaling(1) })
    await step('5m')
    const [node] = await regions.nodes()
    return {
      cordon: () => done('SetNodeSchedulable', { Id: node?.['Id'], Schedulable: false }),
      to: (replicas: number) => done('UpdateEdgeNodePoolConfig', { ClusterId, Id, ...scaling(replicas) }),
      why: async () => { const { Because, Evidence } = await done('ExplainStatus', { Id: node?.['Id'] }); return [String(Because), JSON.stringify(Evidence)] as const },
    }
  }

  test('off: its node says why, since when, what is answered now, and no more once it is off', async () => {
    const { to, why } = await shop(), first = await fails({ Message: 'the zone is closed' })
    await to(0)
    await step('3d')
    assert.deepEqual(await regions.nodePairs(), ['Stopping/Progressing'])
    const [closed, evidence] = await why(), since = /since (\S+Z): the zone is closed$/.exec(closed)?.[1]
    assert.match(closed, /^Its pool ordered the machine to stop at \S+Z, and it is not off yet; switching it off fails since \S+Z: the zone is closed$/)
    assert.match(evidence, /Switching it off did not succeed: the zone is closed/)
    await fails({ Message: 'the zone is on fire' })
    await done('ClearFault', { Id: first })
    await step('3d')
    assert.match((await why())[0], new RegExp(`; switching it off fails since ${since}: the zone is on fire$`))
    await done('ClearFault', { All: true })
    await step('2h')
    assert.deepEqual(await regions.nodePairs(), ['Stopped/Ok'])
    assert.match((await why())[0], /^Its pool ordered the machine to stop, and it is off since \S+Z$/)
  })

  test('on: its node says why while it starts, and when its time is over', async () => {
    const { to, why } = await shop()
    await to(0)
    await step('10m')
    await fails({ Code: 'StockOut', Message: 'the zone is sold out' })
    await to(1)
    await step('5m')
    assert.deepEqual(await regions.nodePairs(), ['Starting/Progressing'])
    assert.match((await why())[0], /, and it is not Ready yet; switching it on fails since \S+Z: the zone is sold out$/)
    await step('15m')
    assert.deepEqual(await regions.nodePairs(), ['Failed/NotReady'])
    assert.match((await why())[0], /^The power of machine burst-\S+ is off since \S+Z; switching it on fails since \S+Z: the zone is sold out$/)
    await done('ClearFault', { All: true })
    await step('2h')
    assert.deepEqual(await regions.nodePairs(), ['Running/Ok'])
    assert.doesNotMatch((await why())[0], /sold out/)
  })

  test('is told where machines are listed, too, be it a pool\'s or a user\'s own', async () => {
    const { to } = await shop()
    const { Id } = await done('AddMachine', { Name: 'till-1' })
    await step('1m')
    const told = async () => ((await done('ListMachines')).Items ?? []).map(({ Name, Because }) => `${String(Name).replace(/-.*/, '')} ${String(Because).replace(/since \S+Z/, 'since T')}`).toSorted()
    const first = await fails({ Message: 'the zone is closed' })
    await to(0)
    await done('SetMachine', { Id, Power: 'off' })
    await step('1d')
    assert.deepEqual(await told(), ['burst Switching it off fails since T: the zone is closed', 'till Switching it off fails since T: the zone is closed'])
    const since = async () => String((await done('ListMachines', { Filter: { Ids: [Id] } })).Items?.[0]?.['Because']).match(/since \S+Z/)?.[0]
    const before = await since()
    await fails({ Message: 'the zone is on fire' })
    await done('ClearFault', { Id: first })
    await step('3d')
    assert.deepEqual([await since(), await told()], [before, ['burst Switching it off fails since T: the zone is on fire', 'till Switching it off fails since T: the zone is on fire']])
    const late = await done('AddMachine', { Name: 'late-1' })
    await step('1m')
    assert.ok((await told()).includes('late Making it fails since T: the zone is on fire'), (await told()).join())
    await done('ClearFault', { All: true })
    await step('2h')
    assert.deepEqual(await told(), ['burst undefined', 'late undefined', 'till undefined'])
    for (const machine of [late['Id'], Id]) await done('RemoveMachine', { Id: machine })
  })

  test('off, and is wanted on again: nothing is told of what is wanted no more', async () => {
    const { to, why } = await shop()
    await fails({ Message: 'the zone is closed' })
    await to(0)
    await step('10m')
    await to(1)
    await step('10m')
    assert.deepEqual(await regions.nodePairs(), ['Running/Ok'])
    assert.match((await why())[0], /^Its kubelet is Ready since \S+Z$/)
    await to(0)
    await step('10m')
    await done('ClearFault', { All: true })
    await step('2h')
    assert.deepEqual(await regions.nodePairs(), ['Stopped/Ok'])
  })

  test('off for arrears: its node says so whatever else it shows, with the balance beside it, and no more once they are paid', async () => {
    const { why, cordon } = await shop()
    await fails({ Message: 'the zone is closed' })
    await done('SetBalance', { Amount: 0 })
    await step('125m')
    await step('1d')
    assert.deepEqual(await regions.nodePairs(), ['Running/Ok'])
    const [because, evidence] = await why()
    assert.match(because, /^Its kubelet is Ready since \S+Z; its account is in arrears, and its machine is to be off; switching it off fails since \S+Z: the zone is closed$/)
    assert.match(evidence, /Switching it off did not succeed: the zone is closed/)
    assert.match(evidence, /balance/)
    await done('SetBalance', { Unlimited: true })
    await step('5m')
    assert.match((await why())[0], /^Its kubelet is Ready since \S+Z$/)
    await cordon()
    await done('SetBalance', { Amount: 0 })
    await step('125m')
    assert.deepEqual(await regions.nodePairs(), ['Running/Unschedulable'])
    assert.match((await why())[0], /^It is Ready and cordoned: .*; switching it off fails since \S+Z: the zone is closed$/)
  })

  test('on after arrears, while its control plane does not start, either: what is seen of its power stands beside what is said, not a kubelet of before', async () => {
    const { why } = await shop()
    await done('SetBalance', { Amount: 0 })
    await step('125m')
    await fails({ Message: 'the zone is closed' })
    await done('InjectFault', { Port: 'control-plane-host', Call: 'ensure', Effect: { Type: 'fail', Message: 'the disk is full' } })
    await done('SetBalance', { Unlimited: true })
    for (const [pair, says, seen] of [['Failed/Balance', /and it is being switched on again; switching it on fails/, /Switching it on did not succeed: the zone is closed/], ['Failed/NotReady', /has not switched it on again since; switching it on fails/, /The power is off since .*Switching it on did not succeed: the zone is closed/]] as const) {
      await step(pair === 'Failed/Balance' ? '10m' : '20m')
      const [because, evidence] = await why()
      assert.deepEqual(await regions.nodePairs(), [pair])
      assert.match(because, says)
      assert.match(evidence, seen)
      assert.doesNotMatch(evidence, /Ready is True/)
    }
    await done('SetBalance', { Amount: 0 })
    await step('125m')
    assert.deepEqual(await regions.nodePairs(), ['Failed/Balance'])
    const [because, evidence] = await why()
    assert.match(because, /^Its machine was shut down because the account is in arrears; its power is off since \S+Z$/)
    assert.match(evidence, /The power is off since/)
    assert.doesNotMatch(evidence, /Ready is True/)
  })
})
