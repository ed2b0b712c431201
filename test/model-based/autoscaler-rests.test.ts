/** Whatever pods ask for, and whatever nodes are like: once nothing is asked for any more, no node comes or goes, and what another node would help has it. Pools decide by the product's own functions; the scheduler is another's. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { needOfPool, standing } from '#controllers/node-pool/need-of-pool.ts'
import { needsNodes } from '#controllers/node-pool/need.ts'
import { hashOf } from '#controllers/node-pool/offers.ts'
import { isFull, planScaling } from '#controllers/node-pool/plan-scaling.ts'
import { activeOf, shareOf } from '#controllers/node-pool/share-need.ts'
import type { DaemonSetObject, NodeObject, PodObject } from '#kubernetes/client/objects.ts'
import { seeRoom } from '#kubernetes/tenant-cluster/see-room.ts'
import { NO_NODES } from '#model/counts.ts'
import type { NodePoolFacts, NodePoolSpec } from '#model/node-pool/record.ts'
import { targetOf } from '#model/node-pool/scaling.ts'
import { asked, DEVICE, fits, PINNED, type OnNodes } from './oracle/kube-scheduler.ts'
import { SEED } from './size.ts'

const MINUTE = 60_000, ROUND = 4 * MINUTE, HOST = 'kubernetes.io/hostname', ZONE = 'topology.kubernetes.io/zone'
/**
 * Long enough for a dozen nodes to go one after another, and for as long again in which nothing may happen. Pods that no node helps, whose places others take, have a second node after an hour, and a third one after six more: the time
 * in which nothing may happen lies between those.
 */
const ROUNDS = 75, STILL = 25
/** Pods that are bound to a machine which is off are given up after five minutes. */
const KEPT_ROUNDS = 2

interface Pool { readonly id: string; readonly spec: NodePoolSpec; facts: NodePoolFacts; readonly cpu: number; readonly gpus: World['pools'][number]['gpus']; readonly kubelets: Readonly<Record<string, string>> }
interface Node { readonly name: string; readonly pool?: Pool; readonly object: NodeObject; readyAt: number; phase: 'Creating' | 'Running' | 'Deleting' | 'Stopping' | 'Stopped' | 'Starting'; /** Rounds for which it has been off. */ off: number }

class Cluster {
  readonly pools: readonly Pool[]
  readonly daemons: readonly DaemonSetObject[]
  nodes: Node[] = []
  /** Names of nodes that have been emptied, and are gone next. */
  readonly #empty = new Set<string>()
  /** Pools that have lost their first node. */
  readonly #lost = new Set<Pool>()
  /** With the name of its node. */
  pods: { readonly object: PodObject; node?: string }[] = []
  moves: string[] = []
  now = 1_000_000_000
  #made = 0

  constructor({ pools, statics, daemon }: World) {
    this.daemons = daemon === 0 ? [] : [{ metadata: { name: 'agent', namespace: 'kube-system' }, spec: { template: { metadata: { labels: { app: 'agent' } }, spec: { containers: [{ resources: { requests: { cpu: `${daemon}m` } }, ports: [{ hostPort: 9100 }] }] } } } }]
    this.pools = pools.map((one, index) => ({
      id: `p${index}`, cpu: one.cpu, gpus: one.gpus, kubelets: { 'kubernetes.io/arch': one.arch }, facts: { ready: true, obstacles: [], openClaims: 0 },
      spec: {
        name: `p${index}`, type: 'edge-machine-pool', taints: one.tainted ? [{ key: 'only', value: '', effect: 'NoSchedule' }] : [], labels: [{ key: 'pool', value: `p${index}` }, ...one.zone === '' ? [] : [{ key: ZONE, value: one.zone }]], kubernetesConfigSent: true,
        scaling: { enabled: true, minReplicas: 0, maxReplicas: one.most, desiredReplicas: one.base, sentDesiredReplicas: one.base, priority: one.priority, ...one.recycles && { mode: 'Recycle' as const } },
      },
    }))
    for (const cpu of statics) this.nodes.push(this.#node(cpu, { [ZONE]: 'z1' }))
  }

  #node(cpu: number, labels: Readonly<Record<string, string>>, pool?: Pool): Node {
    const name = `n${String(this.#made++).padStart(3, '0')}`
    return {
      name, readyAt: this.now, off: 0, phase: pool ? 'Creating' : 'Running', ...pool && { pool },
      object: { metadata: { name, creationTimestamp: new Date(this.now).toISOString(), labels: { ...labels, [HOST]: name } }, spec: { taints: pool?.spec.taints ?? [] }, status: { allocatable: { cpu: `${cpu}m`, memory: '64Gi', pods: '12' }, conditions: [{ type: 'Ready', status: 'True' }] } },
    }
  }

  add(object: PodObject): void { this.pods.push({ object }) }

  /** As the API server tells of it now: a node that leaves, or is about to be switched off, is cordoned; one that is off is not Ready. */
  objects(): OnNodes[] {
    return this.nodes.filter(({ phase }) => phase !== 'Creating').map(({ name, object: made, phase, pool, readyAt }) => ({ name, phase, object: withDevices(made, pool, readyAt, this.now) })).map(({ name, object, phase }) => ({
      node: phase === 'Running' ? object : { ...object, spec: { ...object.spec, unschedulable: phase !== 'Starting' }, status: { ...object.status, conditions: [{ type: 'Ready', status: phase === 'Deleting' || phase === 'Stopping' ? 'True' : 'Unknown' }] } },
      pods: [...this.pods.flatMap(pod => (pod.node === name ? [{ ...pod.object, spec: { ...pod.object.spec, nodeName: name } }] : [])), ...phase === 'Running' ? this.daemonPods(object) : []],
    }))
  }

  daemonPods({ metadata: { name }, spec }: NodeObject): PodObject[] {
    return (spec?.taints ?? []).length > 0 ? [] : this.daemons.map(({ metadata, spec: daemon }) => ({
      metadata: { name: `${metadata.name}-${name}`, namespace: 'kube-system', labels: { app: 'agent' }, ownerReferences: [{ kind: 'DaemonSet', name: metadata.name, controller: true }] }, spec: { ...daemon?.template?.spec, nodeName: name },
    }))
  }

  /** In the order in which they wait; each on the emptiest node, until none finds a place any more. */
  schedule(): void {
    for (let isMoved = true; isMoved;) {
      isMoved = false
      for (const pod of this.pods) {
        if (pod.node !== undefined) continue
        const all = this.objects(), left = ({ node, pods }: OnNodes) => Number.parseInt(node.status?.allocatable?.['cpu'] ?? '0', 10) - pods.reduce((sum, one) => sum + asked(one), 0)
        const [best] = all.filter(one => fits(pod.object, one, all)).toSorted((one, other) => left(other) - left(one))
        if (!best) continue
        pod.node = best.node.metadata.name
        isMoved = true
      }
    }
  }

  room() {
    const nodes = this.objects(), waits = { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'not told' }] }
    return seeRoom([...nodes.flatMap(({ pods }) => pods), ...this.pods.filter(({ node }) => node === undefined).map(({ object }) => ({ ...object, status: waits }))], nodes.map(({ node }) => node), this.daemons)
  }

  counts(pool: Pool) {
    const own = this.nodes.filter(node => node.pool === pool), of = (phase: Node['phase']) => own.filter(node => node.phase === phase).length
    return { ...NO_NODES, total: own.length, creating: of('Creating'), running: of('Running'), deleting: of('Deleting'), stopping: of('Stopping'), stopped: of('Stopped'), starting: of('Starting') }
  }

  /** What is under way ends: nodes come, start, are emptied and then off or gone. On one that is off pods stay for a while. */
  settle(): void {
    for (const node of this.nodes) if (node.phase === 'Deleting' || node.phase === 'Stopping' || (node.phase === 'Stopped' && node.off++ >= KEPT_ROUNDS)) for (const pod of this.pods) if (pod.node === node.name) delete pod.node
    for (const { name, pool, phase } of this.nodes) if (phase === 'Running' && pool?.gpus?.losesFirst && !this.#lost.has(pool)) this.#lose(name, pool)
    this.nodes = this.nodes.filter(({ name }) => !this.#empty.has(name))
    for (const { name, phase } of this.nodes) if (phase === 'Deleting') this.#empty.add(name)
    for (const node of this.nodes) if (node.phase === 'Stopping') node.phase = 'Stopped'
    for (const node of this.nodes) if (node.phase === 'Creating' || node.phase === 'Starting') Object.assign(node, { phase: 'Running', readyAt: this.now })
  }

  #lose(name: string, pool: Pool): void {
    this.#lost.add(pool)
    this.#empty.add(name)
    for (const pod of this.pods) if (pod.node === name) delete pod.node
  }

  /** One pass over each pool, as their controller does it. */
  pass(): void {
    for (const pool of this.pools) this.#scale(pool)
  }

  #scale(pool: Pool): void {
    const { scaling } = pool.spec, looked = this.room(), counts = this.counts(pool), members = (id: string) => this.nodes.filter(node => node.pool?.id === id).map(({ name, phase }) => ({ spec: { name, template: hashOf(undefined) }, facts: { ...phase === 'Deleting' && { deletion: { requestedAt: 0, by: 'scaling', done: [] } as never }, ...(phase === 'Stopping' || phase === 'Stopped') && { ordered: { power: 'off' as const, since: 0 } } } }))
    if (!scaling) return
    const asks = looked.waiting.length > 0 && needsNodes(looked), nodes = new Map(this.pools.map(({ id }) => [id, members(id)]))
    const { needed, room, facts } = needOfPool(pool, { room: looked, pools: asks ? this.pools : [], nodes: asks ? nodes : new Map() }, this.now)
    const waits = room!.waiting.length > 0, all = this.pools.map(one => ({ ...one, counts: this.counts(one), ...one === pool && { facts } }))
    const running = this.nodes.filter(node => node.pool === pool && node.phase === 'Running').map(({ name }) => ({ id: name, name }))
    const others = this.pools.filter(one => one !== pool && activeOf(this.counts(one)) > targetOf(one.spec.scaling!)).flatMap(({ id }) => members(id)).map(({ spec }) => spec.name)
    const share = waits ? shareOf(pool.id, all, needed!) : 0, mayIdle = !waits || isFull({ spec: pool.spec, facts, counts, room, share })
    const plan = planScaling({ now: this.now, spec: pool.spec, facts, counts, room: standing(room!, [...nodes.values()].flat()), others, share, members: mayIdle && activeOf(counts) > targetOf(scaling) ? running : [] })!
    const { autoscaler, idle, offers, held, untaken, makesRoom } = plan
    pool.facts = { ready: true, obstacles: [], openClaims: 0, ...autoscaler && { autoscaler }, ...idle && { idle }, ...offers && { offers }, ...held && { held }, ...untaken !== undefined && { untaken }, ...makesRoom !== undefined && { makesRoom } }
    for (const node of this.nodes.filter(one => one.pool === pool && one.phase === 'Stopped').slice(0, plan.start)) this.#turn(node, 'Starting')
    for (let count = 0; count < plan.claim; count++) {
      const node = this.#node(pool.cpu, { ...pool.kubelets, ...Object.fromEntries(pool.spec.labels.map(({ key, value }) => [key, value])) }, pool)
      this.nodes.push(node)
      this.#turn(node, 'Creating')
    }
    for (const name of plan.ripe.slice(0, plan.surplus)) this.#turn(this.nodes.find(node => node.name === name)!, scaling.mode === 'Recycle' && this.nodes.filter(node => node.pool === pool).length <= scaling.maxReplicas ? 'Stopping' : 'Deleting')
  }

  #turn(node: Node, phase: Node['phase']): void {
    Object.assign(node, { phase, off: 0 })
    this.moves.push(`${node.name} of ${node.pool?.id ?? ''} ${phase}`)
  }

  round(): void {
    this.settle()
    this.schedule()
    this.pass()
    this.now += ROUND
  }

  /** Pools that have a place, and whose next node would take a pod that waits, by the scheduler's own filters. */
  unmet(): string[] {
    const all = this.objects()
    return this.pools.flatMap(pool => {
      const counts = this.counts(pool), own = this.nodes.filter(node => node.pool === pool)
      if (own.length >= pool.spec.scaling!.maxReplicas && counts.stopped === 0) return []
      const { object } = this.#node(pool.cpu, { ...pool.kubelets, ...Object.fromEntries(pool.spec.labels.map(({ key, value }) => [key, value])) }, pool), node = { node: withDevices(object, pool, -Infinity, this.now), pods: this.daemonPods(object) }
      return this.pods.filter(pod => pod.node === undefined && !isBase(pod.object) && fits(pod.object, node, [...all, node])).map(({ object: { metadata } }) => `${metadata.name} waits, and a node of ${pool.id} would take it`)
    })
  }

  /** Nodes of pools that carry nothing, which nobody keeps. */
  vain(): string[] {
    if (this.pods.some(({ node }) => node === undefined)) return []
    return this.pools.flatMap(pool => {
      const running = this.nodes.filter(node => node.pool === pool && node.phase === 'Running')
      return running.length > targetOf(pool.spec.scaling!) ? running.filter(({ name }) => this.pods.every(({ node }) => node !== name)).map(({ name }) => `${name} carries nothing, and stays`) : []
    })
  }
}

/** Its device plugin reports them some time after it is Ready. */
function withDevices(object: NodeObject, pool: Pool | undefined, readyAt: number, now: number): NodeObject {
  const isReported = pool?.gpus !== undefined && now >= readyAt + pool.gpus.late * ROUND
  return { ...object, status: { allocatable: { ...object.status?.allocatable, ...isReported && { [DEVICE]: String(pool.gpus?.count) } }, conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: new Date(Math.max(readyAt, 0)).toISOString() }] } }
}

const isBase = ({ metadata }: PodObject): boolean => metadata.labels?.['k8s-app'] === 'kube-dns'

const term = fc.record({ topologyKey: fc.constantFrom(HOST, HOST, ZONE), app: fc.constantFrom('a', 'b', 'c') }).map(({ topologyKey, app }) => ({ topologyKey, labelSelector: { matchLabels: { app } } }))
const required = (terms: fc.Arbitrary<object>) => fc.array(terms, { minLength: 1, maxLength: 2 }).map(some => ({ requiredDuringSchedulingIgnoredDuringExecution: some as never }))
const nodeAffinity = fc.record({ key: fc.constantFrom('pool', ZONE, 'kubernetes.io/arch', 'disk'), operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'), value: fc.constantFrom('p0', 'p1', 'z1', 'arm64') })
  .map(({ key, operator, value }) => ({ requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator, ...operator.endsWith('In') && { values: [value] } }] }] } }))
const rarely = <Value>(value: fc.Arbitrary<Value>, weight = 3) => fc.oneof({ weight, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })
const workload = fc.record({
  app: fc.constantFrom('a', 'b', 'c'), namespace: fc.constantFrom('default', 'kube-system', 'kube-system'), pods: fc.integer({ min: 1, max: 4 }), cpu: fc.constantFrom(100, 400, 900, 1_900, 3_800, 3_950, 9_000), hostPort: rarely(fc.constantFrom(80, 9_100)), gpus: rarely(fc.integer({ min: 1, max: 2 }), 5),
  podAffinity: rarely(required(term)), podAntiAffinity: rarely(required(term)), nodeAffinity: rarely(nodeAffinity), tolerates: fc.boolean(), pinned: rarely(fc.boolean(), 8), dns: rarely(fc.constant(true), 8),
  spread: rarely(fc.array(fc.record({ term, maxSkew: fc.integer({ min: 1, max: 2 }), minDomains: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }) }).map(({ term: each, maxSkew, minDomains }) => ({ ...each, maxSkew, whenUnsatisfiable: 'DoNotSchedule', ...minDomains !== undefined && { minDomains } })), { minLength: 1, maxLength: 2 })),
  at: fc.nat(6), goes: rarely(fc.integer({ min: 7, max: 14 }), 1),
})
const pool = fc.record({ cpu: fc.constantFrom(1_000, 2_000, 4_000), most: fc.integer({ min: 1, max: 5 }), base: fc.constantFrom(0, 0, 1), priority: fc.nat(2), zone: fc.constantFrom('', 'z1', 'z2'), tainted: rarely(fc.constant(true)), recycles: fc.boolean(), gpus: rarely(fc.record({ count: fc.integer({ min: 1, max: 2 }), late: fc.nat(2), losesFirst: fc.boolean() }), 1), arch: fc.constantFrom('amd64', 'arm64') })
const world = fc.record({ pools: fc.array(pool, { minLength: 1, maxLength: 2 }), statics: fc.array(fc.constantFrom(500, 2_000, 4_000), { maxLength: 2 }), daemon: fc.constantFrom(0, 100), workloads: fc.array(workload, { minLength: 1, maxLength: 4 }) })
type World = typeof world extends fc.Arbitrary<infer Value> ? Value : never

function podsOf({ app, namespace, pods, cpu, hostPort, podAffinity, podAntiAffinity, nodeAffinity: wanted, tolerates, pinned, dns, spread, gpus }: World['workloads'][number], number: number): PodObject[] {
  return Array.from({ length: pods }, (_, index) => ({
    // One that is pinned may say so, as by a volume, or by nothing that anybody reads.
    metadata: { name: `${app}-${number}-${index}`, namespace: dns ? 'kube-system' : namespace, labels: { app, ...dns && { 'k8s-app': 'kube-dns' } }, ...pinned !== undefined && { annotations: { [PINNED]: '' } } },
    spec: {
      containers: [{ resources: { requests: { cpu: `${cpu}m`, ...gpus !== undefined && { [DEVICE]: String(gpus) } } }, ...hostPort !== undefined && { ports: [{ hostPort }] } }], affinity: { ...podAffinity && { podAffinity }, ...podAntiAffinity && { podAntiAffinity }, ...wanted && { nodeAffinity: wanted } },
      ...tolerates && { tolerations: [{ key: 'only', operator: 'Exists' }] }, ...spread && { topologySpreadConstraints: spread }, ...pinned && { volumes: [{ persistentVolumeClaim: {} }] },
    },
  }))
}

function play(given: World): Cluster {
  const cluster = new Cluster(given)
  for (let round = 0; round < ROUNDS + STILL; round++) {
    given.workloads.forEach((one, number) => {
      if (one.at === round) for (const pod of podsOf(one, number)) cluster.add(pod)
      if (one.goes === round) cluster.pods = cluster.pods.filter(({ object }) => !object.metadata.name.startsWith(`${one.app}-${number}-`))
    })
    if (round === ROUNDS) cluster.moves = []
    cluster.round()
  }
  return cluster
}

const POOL: World['pools'][number] = { cpu: 4_000, most: 2, base: 0, priority: 0, zone: 'z1', tainted: undefined, recycles: false, gpus: undefined, arch: 'amd64' }
const ORDER: World['workloads'][number] = {
  app: 'a', namespace: 'kube-system', pods: 1, cpu: 100, hostPort: undefined, gpus: undefined, podAffinity: undefined, podAntiAffinity: undefined, nodeAffinity: undefined, tolerates: false, pinned: undefined, dns: undefined, spread: undefined, at: 0, goes: undefined,
}
const only = (...terms: readonly object[]) => ({ requiredDuringSchedulingIgnoredDuringExecution: terms as never })
const of = (app: 'a' | 'b' | 'c', topologyKey: typeof HOST | typeof ZONE = HOST) => ({ topologyKey, labelSelector: { matchLabels: { app } } })

const inPool = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'pool' as const, operator: 'In' as const, values: ['p0' as const] }] }] } }

/** By what was found once, or is told of. */
const TOLD: readonly (readonly [what: string, world: Partial<World>, nodes: number])[] = [
  ['a pod that is too large for each node', { workloads: [{ ...ORDER, cpu: 9_000 }] }, 0],
  ['pods that are too large beside what each node carries', { daemon: 100, workloads: [{ ...ORDER, cpu: 3_950, pods: 4, namespace: 'default' }] }, 0],
  ['a pod that waits for what nobody tells of, whose place is taken by what moves', { statics: [500], workloads: [{ ...ORDER, cpu: 3_950, namespace: 'default', pinned: false }, { ...ORDER, hostPort: 80, at: 1 }] }, 1],
  ['an add-on that cluster DNS came before, which it must not be near', { pools: [{ ...POOL, most: 1 }], workloads: [{ ...ORDER, dns: true, podAntiAffinity: only(of('c', ZONE)) }, { ...ORDER, app: 'c' }] }, 1],
  ['add-ons that fit on the others, if each is put where it should', { statics: [500], pools: [{ ...POOL, most: 3, base: 1 }], workloads: [{ ...ORDER, pods: 4, cpu: 1_900, at: 2, nodeAffinity: inPool }, { ...ORDER, cpu: 400, at: 1 }] }, 3],
  ['two pods of an add-on that must not share a node', { workloads: [{ ...ORDER, pods: 2, podAntiAffinity: only(of('a')) }] }, 2],
  ['three that must not, where there may be two nodes', { workloads: [{ ...ORDER, pods: 3, podAntiAffinity: only(of('a')) }] }, 2],
  ['two that spread over nodes, which would only be switched off', { pools: [{ ...POOL, recycles: true }], workloads: [{ ...ORDER, app: 'b', pods: 2, cpu: 3_800, namespace: 'default', goes: 9 }, { ...ORDER, pods: 2, spread: [{ ...of('a'), maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' }], at: 4 }] }, 2],
  ['two of which none may be in the same zone', { workloads: [{ ...ORDER, pods: 2, podAntiAffinity: only(of('a', ZONE)) }] }, 1],
  ['two that want the same port', { workloads: [{ ...ORDER, pods: 2, hostPort: 80, namespace: 'default' }] }, 2],
  ['two that ask for a device, which comes some time after its node, also where the first one goes before that', { pools: [{ ...POOL, gpus: { count: 1, late: 2, losesFirst: true } }], workloads: [{ ...ORDER, pods: 2, gpus: 1, namespace: 'default' }] }, 2],
  ['one that asks for a device which no node has', { workloads: [{ ...ORDER, gpus: 1, namespace: 'default' }] }, 0],
  ['one that asks for a device which the nodes of another pool have', { pools: [{ ...POOL, priority: 1 }, { ...POOL, gpus: { count: 2, late: 1, losesFirst: false } }], workloads: [{ ...ORDER, gpus: 2, namespace: 'default' }] }, 1],
  ['one that wants to be near what is nowhere', { workloads: [{ ...ORDER, podAffinity: only(of('b')) }] }, 0],
  ['one that wants to be near another one that waits', { workloads: [{ ...ORDER, podAffinity: only(of('b')) }, { ...ORDER, app: 'b' }] }, 1],
  ['cluster DNS and one that wants to be near what is nowhere, once others have gone', { workloads: [{ ...ORDER, namespace: 'default', goes: 9 }, { ...ORDER, app: 'c', dns: true, pods: 2 }, { ...ORDER, namespace: 'default', podAffinity: only(of('b')) }] }, 0],
  ['cluster DNS and one whose host port is taken on each node, once others have gone', { daemon: 100, workloads: [{ ...ORDER, namespace: 'default', goes: 9 }, { ...ORDER, app: 'c', dns: true, pods: 2 }, { ...ORDER, namespace: 'default', hostPort: 9_100 }] }, 0],
  ['a large one where there may be no more nodes, and add-ons are on all of them', { pools: [{ ...POOL, most: 3 }], workloads: [{ ...ORDER, app: 'c', namespace: 'default', pods: 3, cpu: 3_800, goes: 9 }, { ...ORDER, app: 'b', pods: 3, at: 4 }, { ...ORDER, namespace: 'default', cpu: 3_950, at: 9 }] }, 2],
  ['a large one where there may be no more nodes, which are switched off for it', { pools: [{ ...POOL, most: 3, recycles: true }], workloads: [{ ...ORDER, app: 'c', namespace: 'default', pods: 3, cpu: 3_800, goes: 9 }, { ...ORDER, app: 'b', pods: 3, at: 4 }, { ...ORDER, namespace: 'default', cpu: 3_950, at: 9 }] }, 2],
  ['one that asks for another architecture', { workloads: [{ ...ORDER, nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['arm64'] }] }] } } }] }, 0],
]

describe('an autoscaler', () => {
  for (const [what, given, nodes] of TOLD) {
    test(`comes to rest beside ${what}`, () => {
      const cluster = play({ pools: [POOL], statics: [], daemon: 0, workloads: [], ...given })
      assert.deepEqual([cluster.moves, cluster.unmet(), cluster.vain()], [[], [], []])
      assert.equal(cluster.nodes.filter(node => node.pool && node.phase === 'Running').length, nodes)
    })
  }

  test('comes to rest, with a node for each pod that one would help', () => {
    fc.assert(fc.property(world, given => {
      const cluster = play(given)
      assert.deepEqual([cluster.moves, cluster.unmet(), cluster.vain()], [[], [], []], JSON.stringify(cluster.pods.map(({ object, node }) => `${object.metadata.name} ${node ?? 'waits'}`)))
    }), { numRuns: SEED === undefined ? 10_000 : 500, ...SEED !== undefined && { seed: SEED } })
  })
})
