/** Input that makes no sense, times that are far away, and servers that die in the middle: by public calls, on a server of one's own. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { ActionName } from '#client/calls.ts'
import { NoAnswer } from '#client/errors.ts'
import { until } from '#test/harness/command.ts'
import { RootlessServer } from '#test/harness/rootless-server.ts'
import { pairOf, SteppedRegion } from '#test/harness/stepped-region.ts'

const MINUTE = 60_000, HOUR = 60 * MINUTE
const BEGAN = Date.parse('2026-12-01T00:00:00Z')

/** What everybody has come to, whatever it is called: nodes that pools name by chance are told by their pool. */
async function stateOf(region: SteppedRegion): Promise<readonly string[]> {
  const { client } = region
  const [clusters, pools, nodes, addons, machines, ledger] = await Promise.all([client.all('ListClusters'), client.all('ListEdgeNodePools'), client.all('ListEdgeNodes'), client.all('ListAddons'), client.all('ListMachines'), client.all('ListLedger')])
  const poolName = new Map(pools.map(pool => [pool.Id, pool.Name])), clusterName = new Map(clusters.map(cluster => [cluster.Id, cluster.Name]))
  return [
    ...clusters.map(one => `Cluster ${one.Name} ${pairOf(one.Status)}`), ...pools.map(one => `NodePool ${one.Name} ${pairOf(one.Status)}`),
    ...nodes.map(one => `Node of ${poolName.get(one.NodePoolId)} ${pairOf(one.Status)}`), ...addons.map(one => `Addon ${one.Name} of ${clusterName.get(one.ClusterId)} ${pairOf(one.Status)}`),
    ...machines.map(one => `Machine of ${poolName.get(one.OwnedBy?.Id ?? '') ?? 'its user'} ${one.Power}${one.NodeId === undefined ? '' : ', a node'}`),
    ...ledger.map(one => `${one.Kind} of a ${one.Owner.Kind} ${one.State}`),
  ].toSorted()
}

function rangesOf(number: number): object {
  return { PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: [`172.20.${number * 16}.0/20`] } }, ServicesConfig: { ServiceCidrsv4: [`172.30.${number * 16}.0/20`] } }
}

interface Act { readonly at: number; readonly does: string; run(region: SteppedRegion, ids: Map<string, string>): Promise<unknown> }
const ids = (known: Map<string, string>, name: string) => known.get(name) ?? assert.fail(`${name} is not there yet`)

/** A life with everything in it; instants count from its beginning. */
const LIFE: readonly Act[] = [
  { at: 0, does: 'a cluster is made', run: async (region, known) => known.set('cluster', (await region.createCluster({ ClientToken: 'life' })).Id) },
  { at: MINUTE, does: 'a static pool', run: async (region, known) => known.set('counters', await region.staticPool(ids(known, 'cluster'))) },
  { at: 2 * MINUTE, does: 'a machine runs its script', run: async (region, known) => {
    const { Id } = await region.call('AddMachine', { Name: 'till-1' })
    await region.call('SetMachine', { Id, RunScript: await region.script(ids(known, 'cluster'), ids(known, 'counters')) })
  } },
  { at: 3 * MINUTE, does: 'a pool orders machines', run: async (region, known) => known.set('burst', await region.elasticPool(ids(known, 'cluster'), { DesiredReplicas: 3 })) },
  { at: 5 * MINUTE, does: 'an add-on', run: (region, known) => region.call('CreateAddon', { ClusterId: ids(known, 'cluster'), Name: 'ingress-nginx' }) },
  { at: 10 * MINUTE, does: 'the money is gone', run: region => region.call('SetBalance', { Amount: 0 }) },
  { at: 3 * HOUR, does: 'it is paid', run: region => region.call('SetBalance', { Amount: 1_000_000_000 }) },
  { at: 4 * HOUR, does: 'a pool goes with its machines', run: (region, known) => region.call('DeleteNodePool', { ClusterId: ids(known, 'cluster'), Id: ids(known, 'burst'), CascadingDeleteResources: ['Ecs'] }) },
  { at: 5 * HOUR, does: 'all goes', run: (region, known) => region.call('DeleteCluster', { Id: ids(known, 'cluster'), CascadingDeleteResources: ['All'] }) },
  { at: 6 * HOUR, does: 'the end', run: async () => {} },
]

async function stepTo(region: SteppedRegion, at: number): Promise<void> {
  const left = BEGAN + at - await region.now()
  if (left > 0) await region.step(`${left}ms`)
}

describe('bad input and bad moments', () => {
  let server: RootlessServer, count = 0
  before(async () => { server = await RootlessServer.start() })
  after(() => server.remove())
  const made = async (more: object = {}) => {
    const { Region } = await server.client().call('CreateRegion', { Region: `bad-${++count}`, Seed: 1, Paused: true, ...more })
    return new SteppedRegion(server.client(Region))
  }

  // oxfmt-ignore
  const REFUSED: readonly (readonly [what: string, action: ActionName, body: object, code: string])[] = [
    ['a fault at no port',                  'InjectFault', { Port: '', Effect: { Type: 'fail' } },                                            'InvalidParameter.Port'],
    ['a fault at a port that there is not', 'InjectFault', { Port: 'warp-core', Effect: { Type: 'fail' } },                                   'InvalidParameter.Port'],
    ['a fault at a call that it has not',   'InjectFault', { Port: 'outside', Call: 'explode', Effect: { Type: 'fail' } },                    'InvalidParameter.Call'],
    ['a fault that names nothing',          'InjectFault', { Port: 'machines', Target: {}, Effect: { Type: 'fail' } },                        'InvalidParameter.Target'],
    ['a fault of an unknown kind',          'InjectFault', { Port: 'machines', Target: { Kind: 'Moon' }, Effect: { Type: 'fail' } },          'InvalidParameter.Target.Kind'],
    ['a fault at the zeroth',               'InjectFault', { Port: 'machines', Target: { Kind: 'Node', Nth: 0 }, Effect: { Type: 'fail' } },  'InvalidParameter.Target.Nth'],
    ['an effect that there is not',         'InjectFault', { Port: 'machines', Effect: { Type: 'melt' } },                                    'InvalidParameter.Effect.Type'],
    ['a fault that ended before it began',  'InjectFault', { Port: 'machines', Effect: { Type: 'fail' }, Until: '2020-01-01T00:00:00Z' },     'InvalidParameter.Until'],
    ['clearing a fault that there is not',  'ClearFault',  { Id: 'f-never' },                                                                 'NotFound.Fault'],
    ['clearing nothing',                    'ClearFault',  {},                                                                                'ParameterOutOfRange.Id'],
    ['a negative step',                     'SetClock',    { Step: '-61m' },                                                                  'InvalidParameter.Step'],
    ['a step without a unit',               'SetClock',    { Step: '61' },                                                                    'InvalidParameter.Step'],
    ['a clock set backwards',               'SetClock',    { Speed: -1 },                                                                     'InvalidParameter.Speed'],
    ['a speed of nothing',                  'SetClock',    { Speed: 0 },                                                                      'InvalidParameter.Speed'],
    ['a step past the year 2100',           'SetClock',    { Step: '27000d' },                                                                'InvalidParameter.Step'],
    ['no change of the clock at all',       'SetClock',    {},                                                                                'InvalidParameter.Paused'],
    ['stock of an unknown kind',            'SetStock',    { Kind: 'Moon', Count: 1 },                                                        'InvalidParameter.Kind'],
    ['less than no stock',                  'SetStock',    { Kind: 'Machine', Count: -1 },                                                    'InvalidParameter.Count'],
    ['a quota of an unknown kind',          'SetQuota',    { Kind: 'Moon', Limit: 1 },                                                        'InvalidParameter.Kind'],
    ['a region that begins in 1999',        'CreateRegion', { Region: 'early', StartAt: '1999-01-01T00:00:00Z' },                             'InvalidParameter.StartAt'],
    ['a region that begins in 2100',        'CreateRegion', { Region: 'late', StartAt: '2100-01-01T00:00:00Z' },                              'InvalidParameter.StartAt'],
    ['a scenario that there is not',        'RunScenario', { Name: 'moon-landing' },                                                          'InvalidParameter.Name'],
  ]
  test('what names nothing, is of no known kind, or would turn time back, is refused with a sentence', async context => {
    const region = await made(), before = await region.now()
    for (const [what, action, body, code] of REFUSED) {
      await context.test(what, async () => {
        const error = await region.refused(action, body)
        assert.equal(error.code, code)
        assert.match(error.message, /^[A-Z].{15,}\.$/s)
      })
    }
    assert.deepEqual([await region.now(), (await region.call('ListFaults')).TotalCount], [before, 0])
  })

  test('a long pause, then ten years in one go over ten clusters: under 30 s, and the same end as in small steps', async () => {
    const ends: (readonly string[])[] = []
    for (const steps of [1, 120]) {
      const region = await made()
      const clusters: string[] = []
      for (let number = 0; number < 10; number++) {
        const { Id } = await region.createCluster({ Name: `shop-${number}`, ...rangesOf(number) })
        clusters.push(Id)
      }
      await region.step('2m')
      const [first = '', second = ''] = clusters
      await region.elasticPool(first, { DesiredReplicas: 2 })
      await region.call('CreateAddon', { ClusterId: second, Name: 'ingress-nginx' })
      await region.step('2m')
      // One that cannot go, for as long as nobody asks again.
      await region.call('InjectFault', { Port: 'outside', Call: 'ensureGone', Effect: { Type: 'protected' }, Target: { Kind: 'LoadBalancer' } })
      await region.call('DeleteCluster', { Id: second, CascadingDeleteResources: ['All'] })
      const began = performance.now()
      for (let step = 0; step < steps; step++) await region.step(`${Math.round(87_600 / steps)}h`)
      if (steps === 1) assert.ok(performance.now() - began < 30_000, `${performance.now() - began} ms`)
      assert.equal(await region.now(), BEGAN + 4 * MINUTE + 87_600 * HOUR)
      ends.push(await stateOf(region))
    }
    assert.deepEqual(ends[1], ends[0])
    for (const shown of ['Cluster shop-0 Running/Ok', 'Cluster shop-1 Failed/ResourceCleanupFailed']) assert.ok(ends[0]?.includes(shown), `${shown}: ${ends[0]?.join()}`)
  })

  // oxfmt-ignore
  const WAITING: readonly (readonly [what: string, shown: readonly string[], begin: (region: SteppedRegion, clusters: readonly string[]) => Promise<void>])[] = [
    ['for stock, room, components, removals and nodes', ['NodePool Running/StockOut', 'Cluster Running/Degraded', 'Cluster Failed/Unknown', 'Cluster Failed/ResourceCleanupFailed', 'Node Failed/ResourceCleanupFailed', 'Node Failed/NotReady', 'Addon Failed/ResourceCleanupFailed'], manyWaits],
    ['for quotas',                                      ['NodePool Running/LimitedByQuota'],                                                                                     async (region, clusters) => { await region.call('SetQuota', { Kind: 'Machine', Limit: 15 }); await halfScaled(region, clusters) }],
    ['for money',                                       ['Cluster Stopped/Balance', 'Node Failed/Balance'],                                                                      async (region, clusters) => { await halfScaled(region, clusters); await region.call('SetBalance', { Amount: 0 }) }],
  ]
  for (const [what, shown, begin] of WAITING) {
    test(`ten years in one go over ten clusters that wait ${what}: under 30 s`, async () => {
      const region = await made(), clusters: string[] = []
      for (let number = 0; number < 10; number++) clusters.push((await region.createCluster({ Name: `shop-${number}`, ...rangesOf(number) })).Id)
      await region.step('2m')
      await begin(region, clusters)
      await region.step('3h')
      const shows = async () => new Set((await stateOf(region)).map(line => line.replace(/^(\w+) .* (\S+)$/, (_, kind: string, pair: string) => `${kind === 'Node' || kind === 'NodePool' || kind === 'Addon' ? kind : 'Cluster'} ${pair}`)))
      const before = await shows()
      for (const one of shown) assert.ok(before.has(one), `${one}: ${[...before].join()}`)
      const began = performance.now()
      await region.step('87600h')
      assert.ok(performance.now() - began < 30_000, `${performance.now() - began} ms`)
      const after = await shows()
      for (const one of shown) assert.ok(after.has(one), `${one} after ten years: ${[...after].join()}`)
    })
  }

  async function halfScaled(region: SteppedRegion, clusters: readonly string[]): Promise<void> {
    for (const [number, cluster] of clusters.entries()) await region.elasticPool(cluster, { DesiredReplicas: 3, Enabled: number % 2 === 0 })
    await region.step('3m')
    for (const ClusterId of clusters) await region.call('SetWorkload', { ClusterId, Name: 'web', Pods: 20, Cpu: '1' })
    await region.step('5m')
  }

  /** Each cluster waits for something else. */
  async function manyWaits(region: SteppedRegion, clusters: readonly string[]): Promise<void> {
    const [scheduler = '', api = '', machines = '', balancer = '', addon = '', silent = '', full = '', joins = '', ...short] = clusters
    const fault = (Port: string, Call: string, Id: string, Type = 'fail') => region.call('InjectFault', { Port, Call, Target: { Kind: 'Cluster', Id }, Effect: { Type } })
    for (const cluster of [scheduler, machines, balancer, addon]) await region.elasticPool(cluster, { DesiredReplicas: 2 })
    for (const cluster of [api, silent]) await region.elasticPool(cluster, { Enabled: true, DesiredReplicas: 2 })
    for (const cluster of [full, joins]) await region.elasticPool(cluster, { Enabled: true, DesiredReplicas: 1, MaxReplicas: 1 })
    await region.step('3m')
    for (const ClusterId of [api, silent, full, joins]) await region.call('SetWorkload', { ClusterId, Name: 'web', Pods: 20, Cpu: '1' })
    await region.call('CreateAddon', { ClusterId: addon, Name: 'ingress-nginx' })
    await region.step('5m')
    await region.call('SetStock', { Kind: 'Machine', Count: 1 })
    for (const cluster of short) await region.elasticPool(cluster, { DesiredReplicas: 3, Enabled: cluster === short[0] })
    await fault('control-plane-host', 'kube-scheduler', scheduler)
    await fault('control-plane-host', 'kube-apiserver', api)
    await region.call('InjectFault', { Port: 'outside', Call: 'ensureGone', Target: { Kind: 'LoadBalancer' }, Effect: { Type: 'fail' } })
    for (const { Id, ClusterId, NodePoolId } of (await region.client.all('ListEdgeNodes'))) {
      if (ClusterId === silent) await region.call('InjectFault', { Port: 'machines', Call: 'kubelet', Target: { Kind: 'Node', Id }, Effect: { Type: 'silent' } })
      if (ClusterId !== machines) continue
      await region.call('InjectFault', { Port: 'machines', Call: 'ensureGone', Target: { Kind: 'Node', Id }, Effect: { Type: 'fail' } })
      await region.call('DeleteEdgeNodes', { ClusterId, NodePoolId, Ids: [Id], CascadingDeleteResources: ['Ecs'] })
    }
    await fault('addon-installer', 'ensureGone', addon)
    await region.call('DeleteAddon', { ClusterId: addon, Name: 'ingress-nginx' })
    await region.call('DeleteCluster', { Id: balancer, CascadingDeleteResources: ['All'] })
  }

  test('a server that is stopped or killed at every point of a life: it goes on to the same end, and nothing is left over in the world', async context => {
    const quiet = await live(await made(), async () => {})
    for (const when of ['after each call', 'while time passes'] as const) {
      await context.test(when, async () => {
        const region = await made()
        const told = await live(region, async (index, next) => {
          if (next === 0) return
          const passing = when === 'while time passes' ? region.call('SetClock', { Step: `${next}ms` }).catch((error: unknown) => error instanceof NoAnswer ? undefined : Promise.reject(error as Error)) : undefined
          if (passing) await delay(3 + index * 4)
          // Every third one is asked to end, as by a restart.
          if (index % 3 === 2) await server.ok('down')
          else await server.kill()
          await passing
          await server.up()
          // What a step had not come to is gone on with.
          await until('the step to be done', async () => (await region.call('GetClock')).Behind === undefined, 30_000, 50)
        })
        assert.deepEqual(told, quiet)
        // What the world still had without the records would count against the quota.
        await region.call('SetQuota', { Kind: 'Machine', Limit: 2 })
        const pool = await region.elasticPool(await region.runningCluster(), { DesiredReplicas: 2 })
        await region.step('2m')
        assert.deepEqual(await region.nodes(pool), ['Running/Ok', 'Running/Ok'])
      })
    }

    async function live(region: SteppedRegion, moment: (index: number, next: number) => Promise<void>): Promise<Readonly<Record<string, readonly string[]>>> {
      const known = new Map<string, string>(), states: Record<string, readonly string[]> = {}
      for (const [index, act] of LIFE.entries()) {
        await stepTo(region, act.at)
        states[`before ${act.does}`] = await stateOf(region)
        await act.run(region, known)
        await moment(index, (LIFE[index + 1]?.at ?? act.at) - act.at)
      }
      return states
    }
  })

  test('a create whose server dies before it answers is one cluster once it is sent again', async () => {
    for (const wait of [0, 4, 8, 16]) {
      const region = await made(), ClientToken = `dies-${wait}`
      const first = region.createCluster({ ClientToken }).catch((error: unknown) => error instanceof NoAnswer ? undefined : Promise.reject(error as Error))
      await delay(wait)
      await server.kill()
      const answered = await first
      await server.up()
      const { Id } = await region.createCluster({ ClientToken })
      if (answered) assert.equal(Id, answered.Id)
      await region.step('90s')
      assert.deepEqual((await region.client.all('ListClusters')).map(cluster => [cluster.Id, pairOf(cluster.Status)]), [[Id, 'Running/Ok']])
    }
  })
})
