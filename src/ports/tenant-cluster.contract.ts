import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { BEGINS_CORDONED, BEING_STOPPED } from '#model/node-pool/node-config.ts'
import { TenantClusterUnreachable, type ClusterBase, type NodeSeen, type PodNeed, type RoomSeen, type TenantCluster, type TenantClusterAddress } from '#ports/tenant-cluster.ts'
import { inTime, until } from '#test/harness/waiting.ts'

export interface TenantClusterUnderTest {
  readonly tenant: TenantCluster
  /** A cluster whose API answers. */
  readonly cluster: TenantClusterAddress
  /** Its ranges and registry. */
  readonly base: ClusterBase
  /** One whose API does not. */
  readonly unreachable: TenantClusterAddress
  /** A kubelet registers: it is on the members' list, and then there is its Node object. `cordoned`: as it was told when it joined. */
  register(nodeName: string, cordoned?: true): Promise<void>
  /** The kubelet of a registered node says that it is Ready, and has four processors, 8 GiB and places for 64 pods. */
  takesPods(nodeName: string): Promise<void>
  /** A Deployment, or a DaemonSet, whose pods ask for so much each, have a label `app` with its name, and these terms; none of a Deployment's where it is to have 0. */
  run(workload: WorkloadUnderTest): Promise<void>
  pass?(ms: number): Promise<void>
  close(): Promise<void>
}

export interface WorkloadUnderTest extends Omit<PodNeed, 'name' | 'base' | 'ends' | 'more' | 'unweighed'> {
  readonly kind?: 'Deployment' | 'DaemonSet'
  readonly namespace: string
  readonly name: string
  readonly pods: number
}

const PATIENCE_MS = 30_000

/** The promises of the inside of a tenant cluster, told of one cluster, each with nodes of its own. */
export function tenantClusterContract(name: string, open: () => Promise<TenantClusterUnderTest>, options: { readonly skip?: string | false } = {}): void {
  describe(`tenant cluster contract: ${name}`, { skip: options.skip ?? false, timeout: 10 * PATIENCE_MS }, () => {
    let parts: TenantClusterUnderTest, tenant: TenantCluster, cluster: TenantClusterAddress
    before(async () => {
      parts = await open()
      tenant = parts.tenant
      cluster = parts.cluster
    })
    after(() => parts.close())
    const node = async (nodeName: string) => {
      const seen = await tenant.getNode(cluster, nodeName)
      assert.ok(seen, `there is no node ${nodeName}`)
      return seen
    }

    test('a ready cluster says so, and that its base is there once it was applied', async () => {
      await tenant.ensureBase(cluster, parts.base)
      await tenant.ensureBase(cluster, parts.base)
      let probe = await tenant.probe(cluster)
      // One that has just begun may say for a moment that it is not, as when its datastore is slow to answer.
      for (let looks = 0; looks < 100 && !probe.ready; looks++) probe = await tenant.probe(cluster)
      assert.deepEqual([probe.ready, probe.baseApplied, probe.scheduler, probe.controllerManager], [true, true, true, true])
    })

    // Before any other node is there: the scheduler would place pods on it.
    test('pods that wait for room are told with what they ask for, the base\'s as such, and so is what nodes carry and have left', async () => {
      await tenant.ensureBase(cluster, parts.base)
      const WEB = { namespace: 'default', name: 'web', pods: 1, cpuMillis: 500, memoryMiB: 64 }, ADDON = { namespace: 'kube-system', name: 'metrics', pods: 2, cpuMillis: 250, memoryMiB: 128 }
      const short = ({ name: pod, cpuMillis, base }: PodNeed) => `${pod.replace(/^(default\/web|kube-system\/metrics).*$/, '$1')}${base ? ' of the base' : ''}${base ? '' : ` ${cpuMillis}`}`
      const dns = /^kube-system\/core-?dns-.* of the base$/
      const look = async () => {
        const room = await tenant.room!(cluster), names = (pods: readonly PodNeed[]) => pods.map(pod => short(pod).replace(dns, 'DNS')).toSorted()
        return { ...room, waits: names(room.waiting).join(), lights: room.light.map(({ name: where, pods }) => `${where}: ${names(pods).join()}`).join('; ') }
      }
      const sees = async (what: string, is: (seen: Awaited<ReturnType<typeof look>>) => boolean) => {
        let last: unknown
        await until(async () => is(last = await look()), PATIENCE_MS).catch((cause: unknown) => { throw new Error(`${what}, but ${JSON.stringify(last)}`, { cause }) })
      }
      await parts.run(WEB)
      await parts.run(ADDON)
      await sees('all wait while there is no node', ({ waits, busy, light, free }) => waits === 'DNS,default/web 500,kube-system/metrics 250,kube-system/metrics 250' && busy.length + light.length + free.length === 0)
      await parts.register('roomy')
      await parts.takesPods('roomy')
      await sees('a user\'s pod makes its node a busy one', ({ waits, busy, lights, perNode }) => waits === '' && busy.join() === 'roomy' && lights === '' && perNode?.cpuMillis === 4_000 && perNode.memoryMiB === 8_192)
      await parts.run({ ...WEB, pods: 0 })
      await sees('without it the others are told one by one, and what is left beside them', ({ busy, lights, light, free: [left] }) => {
        const taken = (amount: 'cpuMillis' | 'memoryMiB') => light[0]?.pods.reduce((sum, pod) => sum + pod[amount], 0) ?? 0
        return busy.length === 0 && lights === 'roomy: DNS,kube-system/metrics 250,kube-system/metrics 250' && left?.name === 'roomy' && left.pods === 61
          && left.cpuMillis === 4_000 - taken('cpuMillis') && left.memoryMiB === 8_192 - taken('memoryMiB')
      })
      await tenant.setSchedulable(cluster, 'roomy', false)
      await parts.run(WEB)
      await sees('a cordoned node takes no pods', ({ waits, free }) => waits === 'default/web 500' && free.map(({ name: where, shut }) => `${where} ${String(shut)}`).join() === 'roomy true')
      for (const workload of [WEB, ADDON]) await parts.run({ ...workload, pods: 0 })
      await tenant.ensureNodeGone(cluster, 'roomy')
    })

    test('what a pod asks of its neighbours is told in Kubernetes\' own terms where it waits, with what is on nodes and what comes with each of them', async () => {
      await tenant.ensureBase(cluster, parts.base)
      await parts.register('narrow')
      await parts.takesPods('narrow')
      const hostname = 'kubernetes.io/hostname', labelSelector = { matchLabels: { app: 'choosy' } }
      const nodeAffinity = [{ matchExpressions: [{ key: hostname, operator: 'In', values: ['narrow'] }] }], asks = { cpuMillis: 100, memoryMiB: 64, nodeAffinity }
      const terms = {
        antiAffinity: [{ topologyKey: hostname, labelSelector }], affinity: [{ topologyKey: hostname, labelSelector: { matchLabels: { app: 'alone' } } }], hostPorts: [{ port: 8_443, protocol: 'TCP' }],
        spread: [{ topologyKey: hostname, maxSkew: 1, labelSelector }],
      }
      await parts.run({ ...asks, namespace: 'default', name: 'alone', pods: 1, labels: { side: 'north' } })
      await parts.run({ ...asks, namespace: 'kube-system', name: 'agent', kind: 'DaemonSet', pods: 1, cpuMillis: 50 })
      await parts.run({ ...asks, ...terms, namespace: 'default', name: 'choosy', pods: 2 })
      let last: RoomSeen | undefined
      await until(async () => {
        last = await tenant.room!(cluster)
        return last.waiting.length === 1 && last.free.some(({ name: where, carries = [] }) => where === 'narrow' && carries.some(({ name: pod }) => pod.startsWith('default/choosy')) && carries.some(({ name: pod }) => pod.startsWith('kube-system/agent')))
      }, PATIENCE_MS).catch((cause: unknown) => { throw new Error(`one of two finds no place, but ${JSON.stringify(last)}`, { cause }) })
      const [{ name: waits, cpuMillis, memoryMiB, labels = {}, tolerations: _usual, ...told }] = last!.waiting as [PodNeed]
      assert.match(waits, /^default\/choosy-/)
      assert.deepEqual([cpuMillis, memoryMiB, labels['app'], told], [100, 64, 'choosy', { nodeAffinity, ...terms }])
      const on = last!.free.find(({ name: where }) => where === 'narrow'), agents = on?.carries?.filter(({ name: pod }) => pod.startsWith('kube-system/agent')), other = on?.carries?.find(({ name: pod }) => pod.startsWith('default/choosy'))
      assert.deepEqual([agents?.length, other?.labels?.['app'], other?.antiAffinity, other?.hostPorts, on?.carries?.find(({ name: pod }) => pod.startsWith('default/alone'))?.labels?.['side']], [1, 'choosy', terms.antiAffinity, terms.hostPorts, 'north'])
      assert.deepEqual([on?.labels[hostname], last!.daemons?.filter(({ name: daemon }) => daemon === 'kube-system/agent').map(daemon => [daemon.cpuMillis, daemon.nodeAffinity])], ['narrow', [[50, nodeAffinity]]])
      assert.ok(last!.perNode?.known ?? on?.whole?.pods === 64, 'what the node has with nothing on it, where the next one\'s offer is not known')
      for (const each of ['alone', 'choosy']) await parts.run({ ...asks, namespace: 'default', name: each, pods: 0 })
      await tenant.ensureNodeGone(cluster, 'narrow')
    })

    test('where nobody answers nothing is concluded', async () => {
      await assert.rejects(tenant.getNode(parts.unreachable, 'n'), (error: unknown) => error instanceof TenantClusterUnreachable && error.kind === 'TenantClusterUnreachable')
      for (const call of [() => tenant.ensureMembers(parts.unreachable, []), () => tenant.ensureNodeGone(parts.unreachable, 'n'), () => tenant.setSchedulable(parts.unreachable, 'n', true), () => tenant.evict(parts.unreachable, 'n')]) {
        await assert.rejects(call(), TenantClusterUnreachable)
      }
    })

    test('a node that is not there is undefined, and what should go of it is gone', async () => {
      assert.equal(await tenant.getNode(cluster, 'never'), undefined)
      await tenant.ensureNodeGone(cluster, 'never')
      assert.equal(await tenant.ensureNodeConfig(cluster, 'never', { labels: [], taints: [] }), 'pending')
    })

    test('labels and taints are put on, those of an earlier pool are taken off, and those of others are left alone', async () => {
      await parts.register('configured')
      const before = await node('configured')
      const put = async (zone: string, taints: NodeSeen['taints']) => assert.equal(await tenant.ensureNodeConfig(cluster, 'configured', { labels: [{ key: zone, value: 'yes' }], taints }), 'done')
      const others = (seen: NodeSeen) => Object.fromEntries(Object.entries(seen.labels).filter(([key]) => !key.startsWith('zone-')))
      await put('zone-a', [{ key: 'gpu', value: 'one', effect: 'NoSchedule' }])
      const first = await node('configured')
      assert.equal(first.labels['zone-a'], 'yes')
      assert.ok(first.taints.some(taint => taint.key === 'gpu' && taint.value === 'one' && taint.effect === 'NoSchedule'))
      await put('zone-b', [])
      await put('zone-b', [])
      const second = await node('configured')
      assert.deepEqual([second.labels['zone-a'], second.labels['zone-b'], second.taints.some(taint => taint.key === 'gpu')], [undefined, 'yes', false])
      assert.deepEqual(others(second), others(before))
    })

    test('a node is cordoned and uncordoned, and empty of pods at once where it has none', async () => {
      await parts.register('cordoned')
      assert.equal((await node('cordoned')).unschedulable, false)
      await tenant.setSchedulable(cluster, 'cordoned', false)
      await tenant.setSchedulable(cluster, 'cordoned', false)
      assert.equal((await node('cordoned')).unschedulable, true)
      assert.equal(await tenant.evict(cluster, 'cordoned'), 0)
      await tenant.setSchedulable(cluster, 'cordoned', true)
      assert.equal((await node('cordoned')).unschedulable, false)
    })

    test('what its pool closes to pods is so beside any cordon, and neither takes the other along', async () => {
      await parts.register('stopping')
      const shown = async () => {
        const { unschedulable, taints } = await node('stopping')
        return [unschedulable, taints.filter(({ key }) => key === BEING_STOPPED.key).map(({ effect }) => effect)]
      }
      for (let times = 0; times < 2; times++) await tenant.setSchedulable(cluster, 'stopping', false, 'pool')
      assert.deepEqual(await shown(), [false, ['NoSchedule']])
      await tenant.ensureNodeConfig(cluster, 'stopping', { labels: [], taints: [{ key: 'gpu', value: 'one', effect: 'NoSchedule' }] })
      await tenant.setSchedulable(cluster, 'stopping', false)
      assert.deepEqual(await shown(), [true, ['NoSchedule']])
      for (let times = 0; times < 2; times++) await tenant.setSchedulable(cluster, 'stopping', true, 'pool')
      assert.deepEqual([await shown(), (await node('stopping')).taints.some(({ key }) => key === 'gpu')], [[true, []], true])
      await tenant.setSchedulable(cluster, 'stopping', false, 'pool')
      await tenant.setSchedulable(cluster, 'stopping', true)
      assert.deepEqual(await shown(), [false, ['NoSchedule']])
      await tenant.setSchedulable(cluster, 'nowhere', false, 'pool')
    })

    test('a node that is registered as cordoned is so from its first moment, until somebody opens it', async () => {
      await parts.register('closed', true)
      const shut = await node('closed')
      assert.equal(shut.unschedulable, true)
      await tenant.setSchedulable(cluster, 'closed', false)
      assert.equal((await node('closed')).unschedulable, true)
      await tenant.setSchedulable(cluster, 'closed', true)
      assert.equal((await node('closed')).unschedulable, false)
      await parts.register('opened', true)
      await tenant.setSchedulable(cluster, 'opened', true)
      const { taints, unschedulable } = await node('opened')
      assert.deepEqual([unschedulable, taints.filter(({ key }) => key === BEGINS_CORDONED.key)], [false, []])
    })

    test('a watch begins with the whole list, tells what changes and what goes, and ends', async () => {
      await parts.register('watched')
      const synced: string[] = [], gone: string[] = [], changed: NodeSeen[] = [], stop = new AbortController()
      const watching = tenant.watch(cluster, {
        async onSync(nodes) { synced.push(...nodes.map(each => each.name)) },
        async onChange(each) { changed.push(each) },
        async onGone(each) { gone.push(each) },
        async onLost() {},
        isMember: async () => false,
      }, stop.signal)
      await until(() => synced.includes('watched'), PATIENCE_MS)
      await tenant.setSchedulable(cluster, 'watched', false)
      await until(() => changed.some(each => each.name === 'watched' && each.unschedulable), PATIENCE_MS)
      await tenant.ensureNodeGone(cluster, 'watched')
      await until(() => gone.includes('watched'), PATIENCE_MS)
      assert.equal(await tenant.getNode(cluster, 'watched'), undefined)
      stop.abort()
      await inTime(watching, 'the watch to end', PATIENCE_MS)
    })

    test('a bootstrap token has Kubernetes\' form, and a kubeconfig names its user and its server', async () => {
      assert.match(await tenant.issueBootstrapToken(cluster, 'newcomer', 600), /^[a-z0-9]{6}\.[a-z0-9]{16}$/)
      const text = await tenant.issueKubeconfig(cluster, { id: 'k1', clusterName: 'shop', validHours: 1, server: 'https://192.0.2.1:6443' })
      for (const part of ['kind: Config', 'edgehold:kubeconfig:k1', 'https://192.0.2.1:6443']) assert.ok(text.includes(part), part)
      await tenant.revokeKubeconfig(cluster, 'k1')
      await tenant.revokeKubeconfig(cluster, 'k1')
    })
  })
}
