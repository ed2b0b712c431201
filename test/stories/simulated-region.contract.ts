import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import type { Queue } from '#ports/queue.ts'
import type { Store, Transaction, WriteInstants } from '#ports/store.ts'
import type { WorldStore } from '#providers/simulated/store/world-store.ts'
import { SimulatedServer, type History } from '#test/harness/simulated-server.ts'
import { until } from '#test/harness/waiting.ts'

export interface Database { readonly store: Store; readonly queue: Queue; readonly worldStore: WorldStore; close(): Promise<void> }

const REGION = 'ci-7'

/** What people see of a simulated region through the API, on whatever its records are kept. */
export function simulatedRegionStories(name: string, open: () => Promise<Database>): void {
  describe(`a simulated region ${name}`, () => {
    let database: Database
    let server: SimulatedServer
    before(async () => {
      database = await open()
      server = await SimulatedServer.open(database)
    })
    after(async () => {
      await server.close()
      await database.close()
    })

    const ci = async (more: object = {}) => server.done('CreateRegion', { Region: REGION, Seed: 7, Paused: true, ...more })
    afterEach(async () => {
      for (const Region of [REGION, 'ci-8']) await server.call('DeleteRegion', { Region })
    })
    const nodes = async (region = REGION) => ((await server.done('ListEdgeNodes', {}, region)).Items ?? []).map(node => {
      const { Phase, Conditions } = node['Status'] as NonNullable<History['Status']>
      return `${String(node['Name'])} ${Phase}/${Conditions.map(condition => condition.Type).join('+')}`
    })
    /** A day in the life of a fleet: it is made, a pool orders a machine for it, one of its machines loses its power, gets it back, and all of it goes. */
    const day = async (): Promise<readonly History[]> => {
      await ci()
      const { cluster, machines: [first = ''] } = await server.fleet(REGION, ['till-1', 'till-2'])
      await server.done('CreateEdgeNodePool', {
        ClusterId: cluster, Name: 'burst', NodePoolType: 'edge-machine-pool',
        ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 1, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
      }, REGION)
      await server.done('SetClock', { Step: '60s' }, REGION)
      await server.done('SetMachine', { Id: first, Power: 'crash' }, REGION)
      await server.done('SetClock', { Step: '5m' }, REGION)
      await server.done('SetMachine', { Id: first, Power: 'on' }, REGION)
      await server.done('SetClock', { Step: '5m' }, REGION)
      await server.done('DeleteCluster', { Id: cluster, CascadingDeleteResources: ['All'] }, REGION)
      await server.done('SetClock', { Step: '30m' }, REGION)
      const story = await server.history(REGION)
      await server.done('DeleteRegion', { Region: REGION })
      return story
    }

    test('the same seed and the same calls tell the same story, ids and instants and all', async () => {
      const [one, other] = [await day(), await day()]
      assert.ok(one.length >= 10, JSON.stringify(one.map(row => row.Because)))
      const told = (story: readonly History[]) => story.map(({ At, Kind, Id, Name, Status, Because, Evidence }) => ({ At, Kind, Id, Name, Status, Because, Evidence: Evidence.map(({ Observer, ObservedAt, Fact }) => ({ Observer, ObservedAt, Fact })) }))
      assert.deepEqual(told(other), told(one))
      const shown = one.map(row => `${row.Kind} ${row.Status?.Phase ?? 'gone'}`)
      for (const row of ['Cluster Creating', 'Cluster Running', 'Node Creating', 'Node Running', 'Node Failed', 'Cluster Deleting', 'Cluster gone', 'Node gone']) assert.ok(shown.includes(row), `${row} of ${shown.join()}`)
    })

    test('while the clock is paused nothing changes, and calls are taken', async () => {
      await ci()
      const { Id = '' } = await server.done('CreateCluster', { Name: 'shop', Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-shop'] }, PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.27.0.0/16'] } }, ServicesConfig: { ServiceCidrsv4: ['172.26.0.0/20'] } }, REGION)
      assert.equal(await server.shows('ListClusters', Id, REGION), 'Creating/Progressing')
      await server.done('SetClock', { Step: '1s' }, REGION)
      assert.equal(await server.shows('ListClusters', Id, REGION), 'Creating/Progressing')
      assert.deepEqual(await server.done('SetClock', { Step: '59s' }, REGION), { Now: '2026-12-01T00:01:00.000Z', Speed: 1, Paused: true })
      assert.equal(await server.shows('ListClusters', Id, REGION), 'Running/Ok')
    })

    test('of calls that come at once, in a region whose clock runs, each is answered as if it were alone', async t => {
      let mostClusters = 0, mostPools = 0
      const write = database.store.write.bind(database.store)
      t.mock.method(database.store, 'write', (now: number, work: (tx: Transaction) => Promise<unknown>, instants?: () => WriteInstants) => write(now, async tx => {
        let clusters = 0, pools = 0
        const answer = await work(new Proxy(tx, { get: (target, name) => {
          if (name === 'insertCluster') clusters++
          if (name === 'insertNodePool') pools++
          const own: unknown = Reflect.get(target, name, target)
          return typeof own === 'function' ? own.bind(target) as unknown : own
        } }))
        mostClusters = Math.max(mostClusters, clusters)
        mostPools = Math.max(mostPools, pools)
        return answer
      }, instants))
      await ci({ Paused: false })
      const body = (name: string, range: number, more: object = {}) => ({
        Name: name, Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-shop'] },
        PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: [`20.${range}.0.0/18`] } }, ServicesConfig: { ServiceCidrsv4: [`20.${range}.64.0/24`] }, ...more,
      })
      const calls = {
        plain: Array.from({ length: 40 }, (_, number) => body(`plain-${number}`, number)), named: Array.from({ length: 4 }, (_, number) => body('named', 50 + number)),
        token: Array.from({ length: 4 }, () => body('token', 60, { ClientToken: 'one' })), other: [body('other', 61, { ClientToken: 'two' }), body('another', 62, { ClientToken: 'two' })], ranges: [body('left', 70), body('right', 70)],
      }
      const answered = Object.fromEntries(await Promise.all(Object.entries(calls).map(async ([kind, bodies]) => [kind, await Promise.all(bodies.map(one => server.call('CreateCluster', one, REGION)))] as const)))
      const codes = (kind: string) => (answered[kind] ?? []).map(({ code }) => code ?? 'made').sort()
      assert.deepEqual(codes('plain'), calls.plain.map(() => 'made'))
      assert.deepEqual(codes('named'), ['Conflict.Name', 'Conflict.Name', 'Conflict.Name', 'made'])
      assert.deepEqual(codes('token'), ['made', 'made', 'made', 'made'])
      assert.equal(new Set(answered['token']?.map(({ result }) => result.Id)).size, 1)
      assert.deepEqual(codes('other'), ['IdempotentParameterMismatch', 'made'])
      assert.deepEqual(codes('ranges').filter(code => code === 'made'), ['made'])
      assert.equal((await server.done('ListClusters', {}, REGION)).TotalCount, 44)
      const ids = (answered['plain'] ?? []).map(({ result }) => result.Id ?? '')
      // A cluster takes pools once it runs.
      await server.done('SetClock', { Speed: 600 }, REGION)
      await until(async () => (await server.done('ListClusters', { Filter: { Ids: ids, Statuses: [{ Phase: 'Running', ConditionsType: 'Ok' }] } }, REGION)).TotalCount === ids.length)
      const pools = await Promise.all([...ids, ...ids.slice(0, 5)].map(ClusterId => server.call('CreateEdgeNodePool', { ClusterId, Name: 'pool', NodePoolType: 'edge-machine-set' }, REGION)))
      assert.deepEqual(pools.slice(5, 40).map(({ code }) => code ?? 'made'), ids.slice(5).map(() => 'made'))
      for (let number = 0; number < 5; number++) assert.deepEqual([pools[number], pools[40 + number]].map(one => one?.code ?? 'made').sort(), ['Conflict.Name', 'made'])
      assert.ok(mostClusters > 1 && mostPools > 1, `written together at most ${mostClusters} clusters and ${mostPools} pools`)
    })

    test('a script whose time is over because the region\'s time ran ahead makes no node', async () => {
      await ci()
      const { cluster, pool } = await server.fleet(REGION, [])
      const { Ids: [script = ''] = [] } = await server.done('CreateBatchEdgeMachine', { ClusterId: cluster, NodePoolId: pool, TTLHours: 1 }, REGION)
      await server.done('SetClock', { Step: '61m' }, REGION)
      const { Id = '' } = await server.done('AddMachine', { Name: 'late' }, REGION)
      const ran = await server.call('SetMachine', { Id, RunScript: script }, REGION)
      assert.match(ran.message ?? '', /expired at 2026-12-01T01:02:00Z, and it is 2026-12-01T01:03:00Z now/)
      await server.done('SetClock', { Step: '5m' }, REGION)
      assert.deepEqual(await nodes(), [])
    })

    test('an add-on of a cluster that is asked to go twice has eight minutes each time', async () => {
      await ci()
      const { cluster } = await server.fleet(REGION, [])
      const addon = async () => ((await server.done('ListAddons', {}, REGION)).Items ?? []).map(({ Status }) => (Status as NonNullable<History['Status']>).Phase)
      for (const Port of ['outside', 'control-plane-host']) await server.done('InjectFault', { Port, Call: 'ensureGone', Effect: { Type: 'hang' } }, REGION)
      for (const _time of ['first', 'second']) {
        await server.done('DeleteCluster', { Id: cluster, CascadingDeleteResources: ['All'] }, REGION)
        await server.done('SetClock', { Step: '479s' }, REGION)
        assert.deepEqual(await addon(), ['Deleting'])
        await server.done('SetClock', { Step: '2s' }, REGION)
        assert.deepEqual(await addon(), ['Failed'])
        assert.equal(await server.shows('ListClusters', cluster, REGION), 'Failed/ResourceCleanupFailed')
      }
      const { Because } = (await server.history(REGION)).findLast(row => row.Kind === 'Cluster')!
      assert.match(Because, /: The control plane of shop \(\w+\) could not be removed: ensureGone: no answer; The load balancer shop-LoadBalancer \(clb-\w+\) could not be removed: ensureGone: no answer; The security group shop-SecurityGroup \(sg-\w+\) /)
    })

    test('a machine of its owner keeps its pair while its cluster is stopped for arrears, marked stale', async () => {
      await ci()
      await server.fleet(REGION, ['till-1'])
      const explained = async () => server.done('ExplainStatus', { Id: String(((await server.done('ListEdgeNodes', {}, REGION)).Items ?? [])[0]?.['Id']) }, REGION)
      assert.equal((await explained())['StaleSince'], undefined)
      await server.done('SetBalance', { Amount: 0 }, REGION)
      await server.done('SetClock', { Step: '121m' }, REGION)
      assert.deepEqual([await nodes(), (await explained())['StaleSince']], [['till-1 Running/Ok'], '2026-12-01T02:02:00.000Z'])
      await server.done('SetBalance', { Amount: 100 }, REGION)
      await server.done('SetClock', { Step: '5m' }, REGION)
      assert.deepEqual([await nodes(), (await explained())['StaleSince']], [['till-1 Running/Ok'], undefined])
    })

    test('an add-on of a cluster whose creation failed says so', async () => {
      await ci()
      await server.done('SetQuota', { Kind: 'LoadBalancer', Limit: 0 }, REGION)
      const { Id: cluster = '' } = await server.done('CreateCluster', { Name: 'shop', Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-shop'] }, PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.27.0.0/16'] } }, ServicesConfig: { ServiceCidrsv4: ['172.26.0.0/20'] } }, REGION)
      await server.done('SetClock', { Step: '60s' }, REGION)
      assert.equal(await server.shows('ListClusters', cluster, REGION), 'Failed/LimitedByQuota')
      assert.equal((await server.done('ExplainStatus', { Id: `${cluster}:core-dns` }, REGION))['Because'], 'The creation of its cluster has failed')
    })

    test('regions do not see each other, and what is in one goes with it', async () => {
      await ci()
      await server.done('CreateRegion', { Region: 'ci-8', Seed: 7, Paused: true })
      const { cluster } = await server.fleet(REGION, ['till-1'])
      await server.fleet('ci-8', ['till-1'])
      assert.deepEqual([await nodes(), await nodes('ci-8')], [['till-1 Running/Ok'], ['till-1 Running/Ok']])
      await server.done('SetClock', { Step: '7d' }, 'ci-8')
      assert.equal((await server.done('GetClock', {}, REGION))['Now'], '2026-12-01T00:02:00.000Z')
      await server.done('DeleteRegion', { Region: REGION })
      assert.equal((await server.call('ListClusters', {}, REGION)).code, 'InvalidCredential')
      assert.deepEqual(await nodes('ci-8'), ['till-1 Running/Ok'])
      await ci()
      assert.deepEqual([await server.shows('ListClusters', cluster, REGION), await server.history(REGION), (await server.done('ListMachines', {}, REGION)).TotalCount], ['absent', [], 0])
    })

    test('ten years over ten idle clusters are stepped over in seconds, to the same end as in small steps', async () => {
      await ci()
      const create = async (number: number) => server.done('CreateCluster', {
        Name: `shop-${number}`, Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-shop'] },
        PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: [`172.20.${number * 16}.0/20`] } }, ServicesConfig: { ServiceCidrsv4: [`172.30.${number * 16}.0/20`] },
      }, REGION)
      for (let number = 0; number < 10; number++) await create(number)
      await server.done('SetClock', { Step: '60s' }, REGION)
      const states = async () => ((await server.done('ListClusters', { PageSize: 100 }, REGION)).Items ?? []).map(cluster => JSON.stringify(cluster['Status']))
      const before = await states()
      assert.equal(new Set(before).size, 1)
      const began = Date.now()
      for (let week = 0; week < 52; week++) await server.done('SetClock', { Step: '7d' }, REGION)
      assert.deepEqual(await states(), before)
      assert.deepEqual(await server.done('SetClock', { Step: '3652d' }, REGION), { Now: '2037-11-29T00:01:00.000Z', Speed: 1, Paused: true })
      assert.ok(Date.now() - began < 30_000)
      assert.deepEqual(await states(), before)
    })

    test('a server that ends leaves the region as it was, and the next one goes on with it', async () => {
      await ci()
      const { machines: [till = ''] } = await server.fleet(REGION, ['till-1'])
      await server.done('SetMachine', { Id: till, Power: 'crash' }, REGION)
      await server.close()
      server = await SimulatedServer.open({ ...database, name: 'next' })
      assert.equal((await server.done('GetClock', {}, REGION))['Now'], '2026-12-01T00:02:00.000Z')
      await server.done('SetClock', { Step: '2m' }, REGION)
      assert.deepEqual(await nodes(), ['till-1 Failed/NotReady'])
      await server.done('SetMachine', { Id: till, Power: 'on' }, REGION)
      await server.done('SetClock', { Step: '2m' }, REGION)
      assert.deepEqual(await nodes(), ['till-1 Running/Ok'])
    })

    test('a create whose answer was lost is there, and sent again with its token it is the same', async () => {
      await ci()
      await server.done('InjectFault', { Port: 'api', Call: 'CreateCluster', Effect: { Type: 'fail', Code: '429' }, Times: 1 }, REGION)
      const body = { Name: 'shop', ClientToken: 'once', Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-shop'] }, PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.27.0.0/16'] } }, ServicesConfig: { ServiceCidrsv4: ['172.26.0.0/20'] } }
      assert.deepEqual(await server.call('CreateCluster', body, REGION).then(({ status, code }) => [status, code]), [429, 'FlowLimitExceeded'])
      await server.done('InjectFault', { Port: 'api', Call: 'CreateCluster', Effect: { Type: 'half' }, Times: 1 }, REGION)
      await assert.rejects(server.call('CreateCluster', body, REGION))
      const { Id = '' } = await server.done('CreateCluster', body, REGION)
      assert.equal((await server.done('ListClusters', {}, REGION)).TotalCount, 1)
      await server.done('InjectFault', { Port: 'api', Call: 'ListClusters', Effect: { Type: 'lie', For: '1m' } }, REGION)
      assert.equal((await server.done('ListClusters', {}, REGION)).TotalCount, 0)
      await server.done('ClearFault', { All: true }, REGION)
      assert.equal(await server.shows('ListClusters', Id, REGION), 'Creating/Progressing')
    })
  })
}
