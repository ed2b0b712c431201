/** From every status that is shown something leads out, though nobody can look for days, and what is named as a way out is one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SCENARIOS } from '#api/scenarios/all.ts'
import { RUNNING_CLUSTER, SCRIPT_NODE } from '#api/scenarios/building.ts'
import type { Step } from '#api/scenarios/scenario.ts'
import { ScenarioClient } from '#test/crash-points/scenario-client.ts'
import { ANY_CLUSTER } from '#test/harness/fresh-regions.ts'
import { unrest } from '#test/model-based/oracle/at-rest.ts'
import { all, idOf, look, pairOf, result, shownBy, type Change, type Item } from '#test/model-based/oracle/view.ts'
import { RegionUnderTest } from '#test/model-based/region-under-test.ts'

/** The steps of a scenario, less the last `but`. */
function stepsOf(name: string, but = 0): readonly Step[] {
  const { Steps } = SCENARIOS.find(({ Name }) => Name === name) ?? assert.fail(name)
  return Steps.slice(0, Steps.length - but)
}

/** A region in which a scenario was played. */
class Played {
  readonly region: RegionUnderTest
  readonly #names: ReadonlyMap<string, string>

  private constructor(region: RegionUnderTest, names: ReadonlyMap<string, string>) {
    this.region = region
    this.#names = names
  }

  static async play(steps: readonly Step[], story: (played: Played) => Promise<void>): Promise<void> {
    const region = await RegionUnderTest.open(1)
    try {
      const client = new ScenarioClient(region, { Name: 'x', Title: { zh: '', en: '' }, Reaches: [], Steps: steps })
      while (await client.next());
      await story(new Played(region, client.progress.names))
    } finally {
      await region.close()
    }
  }

  id(name: string): string {
    return this.#names.get(name) ?? ''
  }

  async done(action: string, body: object = {}): Promise<Item> {
    return await result(this.region, action, body) as Item
  }

  async step(...spans: readonly string[]): Promise<void> {
    for (const Step of spans) await this.done('SetClock', { Step })
  }

  /** The effect of a fault that stands until it is cleared. */
  async fault(Port: string, Call: string, Effect: object = { Type: 'fail' }): Promise<string> {
    return String((await this.done('InjectFault', { Port, Call, Effect }))['Id'])
  }

  async why(id: string): Promise<{ readonly Because: string; readonly StaleSince?: string; readonly Evidence: readonly Item[]; readonly Exits: readonly { readonly By: string; readonly What: string }[] }> {
    return await this.done('ExplainStatus', { Id: id }) as never
  }

  async deletesCluster(): Promise<void> {
    const { status, message } = await this.region.call('DeleteCluster', { Id: this.id('cluster'), CascadingDeleteResources: ['All'] })
    assert.deepEqual([status, message], [200, undefined])
  }

  async pair(list: string, name?: string): Promise<string | undefined> {
    const item = (await all(this.region, list)).find(({ Name }) => name === undefined || Name === name)
    return item && shownBy(item)
  }
}

test('a rollout whose image is pushed after all comes to its end, and nothing may stay degraded that lacks neither room nor an image', () => Played.play(stepsOf('addon-failed-degraded'), async played => {
  const wrong = async () => unrest(await look(played.region, 0), await played.region.world())
  assert.deepEqual(await wrong(), [], 'its image is missing')
  await played.done('SetImage', { Name: 'ingress-nginx-controller:broken', Present: true })
  assert.match(String(await wrong()), /ingress-nginx .* is still Failed\/Degraded/)
  await played.step('2h')
  assert.equal(await played.pair('ListAddons', 'ingress-nginx'), 'Running/Ok')
}))

test('a cluster whose debt is paid while nobody can look at it is not Starting for ever, says why, and can be deleted', () => Played.play(stepsOf('cluster-stopped-balance'), async played => {
  await played.fault('control-plane-host', 'look', { Type: 'fail', Message: 'no route to host' })
  await played.done('SetBalance', { Unlimited: true })
  await played.step('14m')
  assert.equal(await played.pair('ListClusters'), 'Starting/Progressing')
  await played.step('3m')
  assert.equal(await played.pair('ListClusters'), 'Failed/Unknown')
  const { Because, Evidence } = await played.why(played.id('cluster'))
  assert.match(Because, /^Its control plane was not seen usable 15 min after the debt was paid\. The control plane of shop .* could not be looked at since 2026-12-01T02:0\d:\d\dZ: .*no route to host/)
  assert.match(JSON.stringify(Evidence), /could not be looked at since/)
  await played.deletesCluster()
}))

test('and is Running when somebody can look again, or Starting anew when another debt is paid meanwhile', () => Played.play(stepsOf('cluster-stopped-balance'), async played => {
  const fault = await played.fault('control-plane-host', 'look')
  for (const again of [false, true]) {
    if (again) {
      await played.done('SetBalance', { Amount: 0 })
      await played.step('121m')
    }
    await played.done('SetBalance', { Unlimited: true })
    await played.step('1s')
    assert.equal(await played.pair('ListClusters'), 'Starting/Progressing')
    await played.step('20m')
    assert.equal(await played.pair('ListClusters'), 'Failed/Unknown')
  }
  await played.done('ClearFault', { Id: fault })
  await played.step('5m')
  assert.equal(await played.pair('ListClusters'), 'Running/Ok')
}))

test('a change of its name needs nothing of a control plane that nobody can look at', () => Played.play(RUNNING_CLUSTER, async played => {
  await played.fault('control-plane-host', 'look')
  await played.done('UpdateClusterConfig', { Id: played.id('cluster'), Description: 'x' })
  await played.step('1m')
  assert.equal(await played.pair('ListClusters'), 'Running/Ok')
  await played.deletesCluster()
}))

test('a cluster that nobody could look at from its first moment is not Creating for ever', () => Played.play([], async played => {
  await played.fault('control-plane-host', 'look')
  const { Id } = await played.done('CreateCluster', ANY_CLUSTER)
  await played.step('20m', '1h')
  assert.equal(await played.pair('ListClusters'), 'Failed/CreateError')
  const { Because, StaleSince } = await played.why(String(Id))
  assert.match(Because, /^Its control plane could not be begun for 15 min\. The control plane of .* could not be looked at since/)
  assert.equal(StaleSince, undefined, 'it is looked at no more')
}))

for (const pays of [false, true]) test(`a creation that arrears ended while nobody could look stays ended${pays ? ', when they are paid' : ''}, and so for its add-ons`, () => Played.play(stepsOf('cluster-failed-balance', 1), async played => {
  await played.fault('outside', 'look')
  await played.step('6m')
  assert.equal(await played.pair('ListClusters'), 'Failed/Balance')
  if (pays) await played.done('SetBalance', { Unlimited: true })
  await played.step('1m', '15m')
  const told = (await played.done('ListStatusHistory', { Filter: { Kinds: ['Cluster'] } }))['Items'] as readonly Change[]
  assert.deepEqual(told.map(change => pairOf(change.Status)).reverse(), ['Creating/Progressing', 'Failed/Balance'], 'only a deletion leads out')
  assert.equal((await played.why(`${played.id('cluster')}:core-dns`)).Because, 'The creation of its cluster has failed')
  await played.deletesCluster()
}))

test('a cluster that is down says what holds it down now, not what did first', () => Played.play(stepsOf('cluster-failed-unknown'), async played => {
  const first = /The component kube-apiserver was started .*: panic/, shown = async () => (await played.why(played.id('cluster'))).Because
  assert.match(await shown(), first)
  await played.fault('control-plane-host', 'etcd', { Type: 'fail', Message: 'no space left on device' })
  await played.step('1m')
  await played.done('ClearFault', { Id: played.id('fault') })
  await played.step('3d')
  assert.match(await shown(), /The component etcd was started .*: no space left on device/)
  assert.equal(await played.pair('ListClusters'), 'Failed/Unknown')
}))

test('as its last words where it fails by something else, and no component that has run for long again', () => Played.play(stepsOf('cluster-failed-unknown'), async played => {
  const shown = async () => (await played.why(played.id('cluster'))).Because
  const full = await played.fault('control-plane-host', 'kube-apiserver', { Type: 'fail', Message: 'no space left on device' })
  await played.done('ClearFault', { Id: played.id('fault') })
  await played.step('3d')
  assert.match(await shown(), /The component kube-apiserver was started .*: no space left on device$/)
  await played.fault('control-plane-host', 'kube-apiserver', { Type: 'silent' })
  await played.done('ClearFault', { Id: full })
  await played.step('3d')
  assert.equal(await shown(), 'Its API server runs and is not ready')
}))

test('as what its host answered to its start, once everything that it was to start has run for long', () => Played.play(RUNNING_CLUSTER, async played => {
  const shown = async () => (await played.why(played.id('cluster'))).Because
  await played.fault('control-plane-host', 'kube-apiserver', { Type: 'silent' })
  await played.fault('control-plane-host', 'ensure', { Type: 'fail', Message: 'the disk is full', Code: 'never' })
  const ended = await played.fault('control-plane-host', 'etcd', { Type: 'fail', Message: 'panic' })
  await played.step('1h')
  assert.equal(await shown(), 'the disk is full')
  // Its supervisor starts it again, so that nobody asks the host for it any more.
  await played.done('ClearFault', { Id: ended })
  await played.step('5m')
  assert.equal(await shown(), 'the disk is full')
  await played.step('3d')
  assert.equal(await shown(), 'Its API server runs and is not ready')
  assert.equal(await played.pair('ListClusters'), 'Failed/Unknown')
}))

test('a cluster whose API works is degraded, and nothing else, by what its host does not start again, and says why', () => Played.play(RUNNING_CLUSTER, async played => {
  const refused = await played.fault('control-plane-host', 'ensure', { Type: 'fail', Message: 'the disk is full', Code: 'never' })
  const ended = await played.fault('control-plane-host', 'kube-scheduler', { Type: 'fail', Message: 'panic' })
  const pairs = new Set<string | undefined>(), shown = async () => (await played.why(played.id('cluster'))).Because
  await played.step('2m')
  for (let looks = 0; looks < 60; looks++) {
    pairs.add(await played.pair('ListClusters'))
    await played.step('10s')
  }
  assert.deepEqual([...pairs], ['Running/Degraded'])
  assert.match(await shown(), /^Its API works, but the scheduler is down since \S+Z, and not started again: the disk is full$/)
  await played.done('ClearFault', { Id: refused })
  await played.step('10m')
  assert.match(await shown(), /the scheduler is down since \S+Z$/)
  await played.done('ClearFault', { Id: ended })
  await played.step('1d')
  assert.equal(await played.pair('ListClusters'), 'Running/Ok')
}))

test('what its host does not start again is told so until it runs again, be it silent', () => Played.play(RUNNING_CLUSTER, async played => {
  const shown = async () => (await played.why(played.id('cluster'))).Because
  const refused = await played.fault('control-plane-host', 'ensure', { Type: 'fail', Message: 'the disk is full', Code: 'never' })
  const ended = await played.fault('control-plane-host', 'kube-scheduler', { Type: 'fail', Message: 'panic' })
  await played.step('20m')
  await played.fault('control-plane-host', 'kube-scheduler', { Type: 'silent' })
  assert.match(await shown(), /, and not started again: the disk is full$/)
  // Its supervisor starts it again, and nobody asks the host for it any more.
  await played.done('ClearFault', { Id: ended })
  await played.step('1h')
  await played.done('ClearFault', { Id: refused })
  await played.step('3d')
  assert.match(await shown(), /^Its API works, but the scheduler is down since \S+Z$/)
  assert.equal(await played.pair('ListClusters'), 'Running/Degraded')
}))

test('a cluster of which several things are down says since when each is', () => Played.play(RUNNING_CLUSTER, async played => {
  const shown = async () => (await played.why(played.id('cluster'))).Because
  const first = await played.fault('control-plane-host', 'kube-scheduler')
  await played.step('10m')
  const since = /since (\S+Z)$/.exec(await shown())?.[1]
  await played.fault('control-plane-host', 'kube-controller-manager')
  await played.step('5m')
  const [, of, then] = /^Its API works, but the scheduler is down since (\S+Z) and the controller manager since (\S+Z)$/.exec(await shown()) ?? []
  assert.deepEqual([of, Date.parse(then ?? '') - Date.parse(of ?? '') > 9 * 60_000], [since, true], await shown())
  await played.done('ClearFault', { Id: first })
  await played.step('10m')
  assert.equal(await shown(), `Its API works, but the controller manager is down since ${then}`)
}))

test('as that its data is lost, and then nothing says that it comes back', () => Played.play(stepsOf('cluster-failed-unknown'), async played => {
  const exits = async () => (await played.why(played.id('cluster'))).Exits.map(({ By, What }) => `${By}: ${What}`)
  assert.deepEqual(await exits(), ['cause: Its control plane comes back, which is tried again and again.', 'call: DeleteCluster'])
  await played.fault('control-plane-host', 'data')
  await played.step('1m')
  await played.done('ClearFault', { Id: played.id('fault') })
  await played.step('9d')
  assert.match((await played.why(played.id('cluster'))).Because, /holds no readable data any more/)
  assert.deepEqual(await exits(), ['call: DeleteCluster'])
}))

test('what is in a cluster whose creation failed, or whose data is lost, goes with it, and waits for nothing else', async () => {
  await Played.play(stepsOf('cluster-failed-create-error'), async played => {
    await played.step('1d')
    assert.deepEqual((await played.why(`${played.id('cluster')}:core-dns`)).Exits, [{ By: 'call', What: 'DeleteCluster' }])
  })
  await Played.play(SCRIPT_NODE, async played => {
    await played.fault('control-plane-host', 'data')
    await played.step('1d')
    for (const list of ['ListEdgeNodes', 'ListEdgeNodePools', 'ListAddons']) for (const item of await all(played.region, list)) {
      assert.deepEqual((await played.why(idOf(item))).Exits, [{ By: 'call', What: 'DeleteCluster' }], `${list} ${shownBy(item)}`)
    }
    await played.deletesCluster()
    await played.step('20m')
    assert.equal(await played.pair('ListClusters'), undefined)
  })
})
