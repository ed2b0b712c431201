import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TinyRegion } from './testing/tiny-region.harness.ts'

test('a control plane is usable after its drawn time and not before', async () => {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  const { at } = tiny.told.findLast(({ change }) => change.kind === 'ControlPlane')!
  assert.ok(at >= 8 && at <= 15, String(at))
  assert.deepEqual(await tiny.region.tenant.probe(cluster), {
    ready: true, says: 'ok', scheduler: true, controllerManager: true, defaultServiceAccount: true, baseApplied: true, dns: { available: 0, wanted: 0, schedulableNodes: 0 },
  })
})

test('a machine boots, runs its line, joins, and its node is ready; nothing happens by itself after that', async () => {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  tiny.told.length = 0
  await tiny.node(cluster)
  assert.equal(tiny.kinds(), 'Workload, Machine, Join, Report progress join, Node, Workload, Workload')
  const join = tiny.told.find(({ change }) => change.kind === 'Join')!
  assert.ok(join.change.kind === 'Join' && join.change.token === 'token-1' && join.change.hostname === 'shop-1' && /^[0-9a-f]{64}$/.test(join.change.secret))
  assert.equal(await tiny.ready(cluster), 'True')
  assert.equal((await tiny.region.tenant.getNode(cluster, 'shop-1'))?.podCidr, '10.0.0.0/25')
  assert.equal(tiny.region.events.nextAt(), undefined)
})

test('one seed tells one story, another seed another', async () => {
  const story = async (seed: number) => {
    const tiny = await TinyRegion.open({ seed })
    await tiny.node(await tiny.cluster())
    return JSON.stringify(tiny.told)
  }
  assert.equal(await story(7), await story(7))
  assert.notEqual(await story(7), await story(8))
})

test('a node whose machine falls silent is Unknown after the grace time, and ready soon after its machine is back', async () => {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  await tiny.node(cluster)
  const off = tiny.now
  await tiny.region.machines.crash('m1')
  await tiny.pass(39_000)
  assert.equal(await tiny.ready(cluster), 'True')
  await tiny.pass(7_000)
  const seen = await tiny.region.tenant.getNode(cluster, 'shop-1')
  assert.equal(seen?.ready?.status, 'Unknown')
  assert.ok(seen.ready.since - off >= 40_000 && seen.ready.since - off <= 45_000)
  assert.ok((seen.ready.lastHeartbeatAt ?? 0) <= off)
  await tiny.region.machines.ensure({ id: 'm1', name: 'shop-1', address: '10.213.4.9', power: 'on', link: 'up' })
  await tiny.pass(20_000)
  assert.equal(await tiny.ready(cluster), 'True')
})

test('heartbeats that come and go within the grace time turn nothing, and one long silence turns it once and back', async () => {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  await tiny.node(cluster)
  const link = (to: 'up' | 'cut') => tiny.region.machines.ensure({ id: 'm1', name: 'shop-1', address: '10.213.4.9', power: 'on', link: to })
  tiny.told.length = 0
  for (let round = 0; round < 12; round++) {
    await tiny.pass(35_000)
    await link('cut')
    await tiny.pass(round === 6 ? 70_000 : 15_000)
    await link('up')
  }
  await tiny.pass(10_000)
  const turns = tiny.told.flatMap(({ change }) => change.kind === 'Node' ? [change.seen?.ready] : []).map(ready => `${ready?.status} ${ready?.since}`)
  assert.deepEqual([...new Set(turns)].map(turn => turn.split(' ')[0]), ['True', 'Unknown', 'True'])
})

test('the same world is there after the process died at any of these moments', async () => {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  tiny.admitsTo = undefined
  await tiny.region.tenant.ensureMembers(cluster, ['shop-1'])
  await tiny.region.machines.ensure({ id: 'm1', name: 'shop-1', address: '10.213.4.9', power: 'on', link: 'up', firstBoot: 'sh /join/script/t' })
  await tiny.restart() // while it boots
  await tiny.pass(20_000)
  assert.match(tiny.kinds(), /Join$/)
  await tiny.restart() // its contact was told and never answered
  tiny.admitsTo = 'c1'
  await tiny.pass(1_000)
  await tiny.restart() // while it downloads
  await tiny.pass(20_000)
  assert.equal(await tiny.ready(cluster), 'True')
  await tiny.region.machines.crash('m1')
  await tiny.restart() // before anybody calls it silent
  await tiny.pass(46_000)
  assert.equal(await tiny.ready(cluster), 'Unknown')
  assert.equal((await tiny.region.host.look('c1')).components.every(component => component.state === 'running'), true)
})

test('what a machine said and nobody heard, because the process died, is said again', async () => {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  await tiny.region.faults.inject('f1', { port: 'machines', call: 'download', effect: { type: 'fail', message: 'connection reset' } })
  tiny.hears = false
  await tiny.node(cluster)
  const reports = () => tiny.told.filter(({ change }) => change.kind === 'Report' && change.outcome === 'failed').length
  assert.equal(reports(), 1)
  await tiny.restart()
  tiny.hears = true
  await tiny.pass(1_000)
  assert.equal(reports(), 2)
  await tiny.region.machines.crash('m1')
  await tiny.pass(1_000)
  await tiny.restart()
  await tiny.pass(1_000)
  assert.equal(reports(), 2, 'it was heard')

  await tiny.region.faults.clearAll()
  await tiny.node(cluster, 'shop-2', 'm2')
  await tiny.region.tenant.ensureNodeGone(cluster, 'shop-2')
  await tiny.pass(20_000)
  const asked = () => tiny.told.filter(({ change }) => change.kind === 'Membership').length
  assert.equal(asked(), 1)
  await tiny.restart()
  await tiny.pass(1_000)
  assert.equal(asked(), 2)
})

test('what a new watcher is told is everything', async () => {
  const tiny = await TinyRegion.open()
  await tiny.node(await tiny.cluster())
  assert.deepEqual((await tiny.region.events.everything()).map(change => change.kind), ['Machine', 'Node', 'ControlPlane', 'Room', 'Workload'])
})

test('nodes are kept apart from the membership of their cluster: one that is no member waits until it is', async () => {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  tiny.admitsTo = 'c1'
  await tiny.region.machines.ensure({ id: 'm1', name: 'shop-1', address: '10.213.4.9', power: 'on', link: 'up', firstBoot: 'sh /join/script/t' })
  await tiny.pass(60_000)
  assert.equal(await tiny.ready(cluster), 'gone')
  await tiny.region.tenant.ensureMembers(cluster, ['shop-1'])
  assert.equal(await tiny.ready(cluster), 'True')
})

test('a machine whose node was taken off asks whether it is a member, and cleans up when it is not', async () => {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  await tiny.node(cluster)
  tiny.told.length = 0
  await tiny.region.tenant.ensureMembers(cluster, [])
  await tiny.region.tenant.ensureNodeGone(cluster, 'shop-1')
  await tiny.pass(20_000)
  const asked = tiny.told.find(({ change }) => change.kind === 'Membership')?.change
  assert.ok(asked?.kind === 'Membership', tiny.kinds())
  await tiny.region.onboarding.membership(asked.secret, 'member')
  await tiny.pass(60_000)
  assert.equal(tiny.told.filter(({ change }) => change.kind === 'Membership').length, 2)
  await tiny.region.onboarding.membership(asked.secret, 'removed')
  await tiny.pass(86_400_000)
  assert.equal(tiny.told.filter(({ change }) => change.kind === 'Membership').length, 2)
})
