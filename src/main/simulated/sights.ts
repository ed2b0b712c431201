/** What a simulated region tells, made into sights and answers; over three hundred lines, since all of it is heard in one order over one memory of names, and each part is only right beside the others. */
import { isDeepStrictEqual } from 'node:util'
import { takeDownUnknown } from '#controllers/machine/take-down-unknown.ts'
import { machineSight } from '#controllers/machine/watch-machines.ts'
import { kubernetesNodeFact, type KubernetesNodeFact, transitionText, NODE_GONE, nodeSight } from '#controllers/node/sights.ts'
import type { HeldWatch } from '#kernel/watching.ts'
import type { Admitted, Newcomer } from '#join/admit-machine.ts'
import { letMachineIn, letOrderedMachinesIn, type LetInOptions } from '#join/let-machine-in.ts'
import { noteScriptEnd } from '#join/machine-logins.ts'
import { takeConfirmation, takeReports, tellMembership } from '#join/machine-reports.ts'
import { findInvitation, hashOf } from '#join/onboarding-token.ts'
import { JoinRefused } from '#join/refused.ts'
import { machinePowerFact } from '#ports/machine-power.ts'
import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import type { Queue } from '#ports/queue.ts'
import type { RegionChange } from '#ports/region-events.ts'
import type { NodePlace, NodeToken, SightKind, Store, WorkKey } from '#ports/store.ts'
import type { AddressedCluster, TenantCluster, TenantClusterAddress } from '#ports/tenant-cluster.ts'
import type { SimulatedRegion } from '#providers/simulated/simulated-region.ts'
import { inLanes, inParts, inWholeParts } from './lanes.ts'

export interface SightsParts {
  readonly region: string
  readonly store: Store
  readonly queue: Queue
  readonly watch: HeldWatch
  /** The region's. */
  readonly clock: Clock
  readonly log: Log
  readonly tenant: TenantCluster
  readonly onboarding: SimulatedRegion['onboarding']
  readonly randomBytes: (count: number) => Uint8Array
  readonly newLedgerId: () => string
  /** How many machines are answered at once. */
  readonly hands: () => number
  tenantAddressOf(cluster: AddressedCluster): Promise<TenantClusterAddress | undefined>
}

type RegionKey = WorkKey & { readonly region: string }
interface Put { readonly kind: SightKind; readonly id: string; readonly fact: unknown; readonly seenAt: number; readonly observer: string; readonly key: RegionKey | undefined }
type OfKind<Kind extends RegionChange['kind']> = Extract<RegionChange, { kind: Kind }>

/** Of the things that changed: clusters that were read just now, nodes that are there, and what nodes are on machines. */
interface Known { readonly fresh: ReadonlySet<string>; readonly living: Set<string>; readonly onMachines: ReadonlyMap<string, readonly NodePlace[]> }

/** What a machine says or asks. */
type Asking = OfKind<'Join' | 'Report' | 'Membership'>

/** A machine that was ordered for a node. */
interface Ordered { readonly join: OfKind<'Join'>; readonly nodeToken: NodeToken; readonly machine: Newcomer }

/** More would hold the locks of many clusters, and keep everybody else waiting, for long. */
const AT_ONCE = 500
/** Most of these are only compared. */
const AGAIN_AT_ONCE = 2_000
const CLUSTERS_AT_ONCE = 200
/** Who looks again within this time after the region has turned comes by itself. */
const SOON_MS = 60_000

/**
 * What a simulated region tells of itself, made into what passes see: the same sights with the same keys as the watches of a real region write, and machines that ask are
 * answered by the same rules as at a join endpoint.
 */
export class RegionSights {
  readonly #parts: SightsParts
  /** A cluster's own name, and the ids of its nodes by theirs, as they were last read. */
  readonly #clusters = new Map<string, { readonly name: string; readonly nodes: Map<string, string> }>()
  #last: Promise<void> = Promise.resolve()

  constructor(parts: SightsParts) {
    this.#parts = parts
  }

  /** Machines are answered first, each in the order in which it asked; then all that was seen is written in one go. Safe to repeat. One call at a time is heard. */
  tell(changes: readonly RegionChange[]): Promise<void> {
    return this.#inTurn(() => this.#tell(changes))
  }

  /** As tell of what there is, looked at when its turn comes: most of it stands written already, and is not written again for a heartbeat. */
  tellAgain(look: () => readonly RegionChange[]): Promise<void> {
    return this.#inTurn(async () => { for (const changes of inParts(look(), AGAIN_AT_ONCE)) await this.#tell(await this.#newOf(changes)) })
  }

  /** While the database writes of one part, another one is looked up; not where everything has its order. */
  get #lanes(): number {
    return this.#parts.hands() === 1 ? 1 : 2
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    return this.#last = this.#last.catch(() => {}).then(act) // who asked for the one before was told
  }

  async #tell(changes: readonly RegionChange[]): Promise<void> {
    const asked = new Map<string, Asking[]>(), seen: RegionChange[] = [], ready = readyAmong(changes)
    for (const change of changes) {
      if (change.kind === 'Report' && change.outcome === 'progress' && ready.has(`${change.clusterId}/${change.nodeName}`)) continue
      if (change.kind !== 'Join' && change.kind !== 'Report' && change.kind !== 'Membership') seen.push(change)
      else if (!asked.get(change.secret)?.push(change)) asked.set(change.secret, [change])
    }
    for (let turn = 0, turns: Asking[]; (turns = [...asked.values()].flatMap(changesOfOne => changesOfOne[turn] ?? [])).length > 0; turn++) await this.#answer(turns)
    await inLanes(this.#lanes === 1 ? inParts(seen, AT_ONCE) : inWholeParts(seen, AT_ONCE), this.#lanes, some => this.#see(some))
  }

  async #see(changes: readonly RegionChange[]): Promise<void> {
    const { queue, watch, store, clock, region } = this.#parts
    const puts = new Map<string, Put>(), gone = new Map<string, Put>(), keys = new Map<string, RegionKey>()
    const note = (put: Put): void => {
      const name = `${put.kind}/${put.id}`
      puts.delete(name)
      gone.delete(name)
      ;(put.fact === undefined ? gone : puts).set(name, put)
    }
    for (const change of changes) if (change.kind === 'MachineAfterAll') await this.#takeDown(change)
    const known = await this.#lookUp(changes), rooms = new Set<string>()
    for (const change of changes) {
      if (change.kind === 'Node') for (const put of await this.#node(change, known)) note(put)
      else if (change.kind === 'Machine') {
        const [put, others] = this.#machine(change, known.onMachines)
        note(put)
        for (const key of others) keys.set(`${key.kind}/${key.id}`, key)
      } else if (change.kind === 'Room') rooms.add(change.clusterId)
      else if (change.kind === 'Workload') keys.set(`addon/${change.clusterId}:${change.addon}`, { kind: 'addon', id: `${change.clusterId}:${change.addon}`, region })
      else if (change.kind === 'ControlPlane') keys.set(`cluster/${change.clusterId}`, { kind: 'cluster', id: change.clusterId, region })
    }
    for (const some of inParts([...rooms], CLUSTERS_AT_ONCE)) for (const key of await this.#scaling(some)) keys.set(`${key.kind}/${key.id}`, key)
    if (puts.size > 0) await queue.putSights(watch, [...puts.values()])
    if (gone.size > 0) await queue.putSights(watch, [], [...gone.values()])
    if (keys.size > 0) await store.write(clock.now(), async tx => { for (const key of keys.values()) await tx.enqueue(key) })
    if (changes.some(({ kind }) => kind === 'Turn')) await queue.hasten(region, clock.now() + SOON_MS)
  }

  async #node({ clusterId, name, seen }: OfKind<'Node'>, known: Known): Promise<Put[]> {
    const { region, clock } = this.#parts
    const id = await this.#idOf(clusterId, name, known)
    if (id === undefined) {
      if (seen) await this.#takeOff(clusterId, name)
      return []
    }
    const cluster = this.#clusters.get(clusterId)
    if (!seen) cluster?.nodes.delete(name)
    return [nodeSight({ region, clusterName: cluster?.name ?? clusterId, id, fact: seen ? kubernetesNodeFact(seen) : NODE_GONE, seenAt: clock.now() })]
  }

  /** Pools that may grow or shrink by what finds no room. */
  async #scaling(clusterIds: readonly string[]): Promise<readonly RegionKey[]> {
    const { store, region } = this.#parts
    return (await store.nodePoolsOfClusters(clusterIds)).filter(({ spec }) => spec.scaling?.enabled).map(({ id }) => ({ kind: 'node-pool' as const, id, region }))
  }

  /** A node's own machine first; a machine that a pool ordered is its node's from the beginning on. */
  #machine({ id, seen }: OfKind<'Machine'>, onMachines: ReadonlyMap<string, readonly NodePlace[]>): [Put, readonly RegionKey[]] {
    const { region, clock } = this.#parts
    const nodes = seen ? onMachines.get(seen.machineId) ?? [] : []
    const { sight, others } = machineSight({ region, id, seen, nodes, seenAt: clock.now() })
    return [sight, others]
  }

  /** Unless somebody knows it, who asks for its removal again and looks. It is there by what the region tells, whatever its provider may still answer. */
  async #takeDown({ seen }: OfKind<'MachineAfterAll'>): Promise<void> {
    const { region, clock } = this.#parts
    await takeDownUnknown(region, seen, { ...this.#parts, regionOf: () => ({ clock, machines: { look: async () => seen } }) })
  }

  /** A Node object of nobody whom we know: its node left while the API was away. */
  async #takeOff(clusterId: string, name: string): Promise<void> {
    const { store, tenant, log } = this.#parts
    const cluster = await store.findCluster(clusterId)
    const address = cluster && await this.#parts.tenantAddressOf(cluster)
    if (!address) return
    log.info({ clusterId, node: name }, 'Taking off a Node object that is no node of ours')
    await tenant.ensureNodeGone(address, name).catch((error: unknown) => log.warn({ clusterId, node: name, error }, 'Taking off a Node object did not succeed'))
  }

  /** What is known of the things that changed, in a few looks for all of them: nodes by their ids, and those on machines. Clusters with a node whose name is new are read anew. */
  async #lookUp(changes: readonly RegionChange[]): Promise<Known> {
    const { store, region } = this.#parts
    const fresh = await this.#getToKnowAll(changes, ({ clusterId, name }) => this.#clusters.get(clusterId)?.nodes.has(name) ?? false)
    const nodeIds = changes.flatMap(change => (change.kind === 'Node' ? this.#clusters.get(change.clusterId)?.nodes.get(change.name) ?? [] : []))
    const machineIds = changes.flatMap(change => (change.kind === 'Machine' ? change.seen?.machineId ?? [] : []))
    const [nodes, onMachines] = await Promise.all([nodeIds.length > 0 ? store.nodePlaces(nodeIds) : [], machineIds.length > 0 ? store.nodesOfMachines(region, machineIds) : []])
    return { fresh, living: new Set(nodes.map(({ id }) => id)), onMachines: Map.groupBy(onMachines, ({ machineId }) => machineId) }
  }

  /** Reads the clusters of nodes that are not known; answers which. */
  async #getToKnowAll(changes: readonly RegionChange[], isKnown: (change: OfKind<'Node'>) => boolean): Promise<ReadonlySet<string>> {
    const unknown = new Set(changes.flatMap(change => (change.kind === 'Node' && !isKnown(change) ? change.clusterId : [])))
    for (const ids of inParts([...unknown], CLUSTERS_AT_ONCE)) await this.#getToKnow(ids)
    return unknown
  }

  async #getToKnow(clusterIds: readonly string[]): Promise<void> {
    const [clusters, records] = await Promise.all([this.#parts.store.clustersById(clusterIds), this.#parts.store.nodesOfClusters(clusterIds)])
    const byCluster = Map.groupBy(records, ({ clusterId }) => clusterId)
    for (const { id, spec } of clusters) this.#clusters.set(id, { name: spec.name, nodes: new Map((byCluster.get(id) ?? []).map(node => [node.name, node.id])) })
  }

  /** Those of which something else stands written, or nothing. */
  async #newOf(changes: readonly RegionChange[]): Promise<readonly RegionChange[]> {
    await this.#getToKnowAll(changes, ({ clusterId }) => this.#clusters.has(clusterId))
    const nodeOf = ({ clusterId, name }: OfKind<'Node'>) => this.#clusters.get(clusterId)?.nodes.get(name)
    const { store } = this.#parts
    const [powers, objects] = await Promise.all([
      store.sights('MachinePower', changes.flatMap(change => (change.kind === 'Machine' ? change.id : []))), store.sights('KubernetesNode', changes.flatMap(change => (change.kind === 'Node' ? nodeOf(change) ?? [] : []))),
    ])
    const power = new Map(powers.map(({ id, fact }) => [id, fact])), object = new Map(objects.map(({ id, fact }) => [id, fact as KubernetesNodeFact]))
    return changes.filter(change => {
      if (change.kind === 'Machine') return !isDeepStrictEqual(power.get(change.id), change.seen && machinePowerFact(change.seen))
      if (change.kind !== 'Node') return true
      const before = object.get(nodeOf(change) ?? '')
      return before === undefined || change.seen === undefined || transitionText(before) !== transitionText(kubernetesNodeFact(change.seen))
    })
  }

  async #idOf(clusterId: string, name: string, { fresh, living }: Known): Promise<string | undefined> {
    const { store } = this.#parts
    const known = this.#clusters.get(clusterId)?.nodes.get(name)
    if (known === undefined && fresh.has(clusterId)) return undefined
    // A name may have passed to another node since it was last asked for.
    if (known !== undefined && (living.has(known) || await store.findNode(known))) return known
    const [cluster, records] = await Promise.all([store.findCluster(clusterId), store.nodesOf({ clusterId })])
    const nodes = new Map(records.map(record => [record.spec.name, record.id]))
    for (const { id } of records) living.add(id)
    if (cluster) this.#clusters.set(clusterId, { name: cluster.spec.name, nodes })
    else this.#clusters.delete(clusterId)
    return nodes.get(name)
  }

  /** What each of these machines says or asks, one thing of each. */
  async #answer(changes: readonly Asking[]): Promise<void> {
    const joins = changes.filter(change => change.kind === 'Join'), reports = changes.filter(change => change.kind === 'Report')
    if (joins.length > 0) await this.#join(joins)
    await inLanes(inParts(reports, AT_ONCE), this.#lanes, some => takeReports(this.#parts, some.map(({ secret, outcome, step, text }) => ({ secretHash: hashOf(secret), kind: outcome === 'failed' ? 'failure' : 'progress', step, text }))))
    await inLanes(changes.filter(change => change.kind === 'Membership'), this.#parts.hands(), change => this.#membership(change))
  }

  async #membership({ secret }: OfKind<'Membership'>): Promise<void> {
    const options = this.#parts, form = new Map([['secret', secret]])
    try {
      const answer = await tellMembership(options, form)
      await this.#parts.onboarding.membership(secret, answer === 'member' || answer === 'removed' ? answer : 'unknown')
      if (answer === 'removed') await takeConfirmation(options, form)
    } catch (error) {
      if (!(error instanceof JoinRefused)) throw error
      this.#parts.log.info({ why: error.message }, 'Refusing what a machine asks')
    }
  }

  /** Machines that were ordered for a node come together, those that run a script one after another. */
  async #join(joins: readonly OfKind<'Join'>[]): Promise<void> {
    const { store, onboarding } = this.#parts
    const made = new Map<string, string | undefined>(), tokenOf = new Map<string, NodeToken>()
    for (const some of inParts(joins, AT_ONCE)) {
      const [machines, tokens] = await Promise.all([store.machinesById(some.map(({ machineId }) => machineId)), store.nodeTokensByHash(some.map(({ token }) => hashOf(token)))])
      for (const { id, machineId } of machines) made.set(id, machineId)
      for (const token of tokens) tokenOf.set(token.tokenHash, token)
    }
    const ordered: Ordered[] = [], byScript: { readonly join: OfKind<'Join'>; readonly machine: Newcomer }[] = []
    for (const join of joins) {
      const machineId = made.get(join.machineId), nodeToken = tokenOf.get(hashOf(join.token))
      // Its controller has not written down yet that it was made.
      if (machineId === undefined) await onboarding.refused(join.machineId, true)
      else if (nodeToken) ordered.push({ join, nodeToken, machine: newcomer(join, machineId) })
      else byScript.push({ join, machine: newcomer(join, machineId) })
    }
    await inLanes(inParts(await this.#byCluster(ordered), AT_ONCE), this.#lanes, async some => {
      const outcomes = await letOrderedMachinesIn(this.#options(), some, this.#parts.hands())
      for (const [index, { join, nodeToken }] of some.entries()) {
        const outcome = outcomes[index]
        await this.#tellOutcome(join, outcome)
        // Whoever logged in to a machine hears what its script says.
        if (outcome instanceof JoinRefused && !isForLater(outcome)) await noteScriptEnd(this.#parts, nodeToken.nodeId, { exitCode: 1, output: outcome.message })
      }
    })
    await inLanes(byScript, this.#parts.hands(), ({ join, machine }) => this.#joinByScript(join, machine))
  }

  /** Those of one cluster one after another, so that its tree is written once for all of them; for one hand their order stays. */
  async #byCluster(ordered: readonly Ordered[]): Promise<readonly Ordered[]> {
    if (ordered.length <= AT_ONCE || this.#parts.hands() === 1) return ordered
    const clusterOf = new Map<string, string>()
    for (const some of inParts(ordered, AT_ONCE)) for (const { id, clusterId } of await this.#parts.store.nodePlaces(some.map(({ nodeToken }) => nodeToken.nodeId))) clusterOf.set(id, clusterId)
    return [...Map.groupBy(ordered, ({ nodeToken }) => clusterOf.get(nodeToken.nodeId)).values()].flat()
  }

  async #joinByScript(join: OfKind<'Join'>, machine: Newcomer): Promise<void> {
    const { store, region, clock } = this.#parts
    const outcome = await findInvitation(store, region, join.token, clock.now()).then(invitation => letMachineIn(this.#options(), invitation, machine)).catch((error: unknown) => {
      if (!(error instanceof JoinRefused)) throw error
      return error
    })
    await this.#tellOutcome(join, outcome)
  }

  async #tellOutcome({ machineId, hostname }: OfKind<'Join'>, outcome: Admitted | JoinRefused | undefined): Promise<void> {
    const { onboarding, log } = this.#parts
    if (outcome && !(outcome instanceof JoinRefused)) return onboarding.admitted(machineId, { clusterId: outcome.cluster.id, nodeName: outcome.nodeName, nodeId: outcome.nodeId, begins: outcome.begins })
    log.info({ machineId, hostname, why: outcome?.message }, 'Refusing a machine')
    await onboarding.refused(machineId, outcome !== undefined && isForLater(outcome), outcome?.message)
  }

  #options(): LetInOptions {
    return { ...this.#parts, tenantCluster: this.#parts.tenant }
  }
}

/** Nodes that are Ready at the end of these changes: how far they were on the way there is of no more use to anybody. */
function readyAmong(changes: readonly RegionChange[]): ReadonlySet<string> {
  const ready = new Set<string>()
  for (const change of changes) {
    if (change.kind !== 'Node') continue
    if (change.seen?.ready?.status === 'True') ready.add(`${change.clusterId}/${change.name}`)
    else ready.delete(`${change.clusterId}/${change.name}`)
  }
  return ready
}

function isForLater({ status }: JoinRefused): boolean {
  return status === 503 || status === 429
}

function newcomer({ secret, run, hostname, architecture, address }: OfKind<'Join'>, machineId: string): Newcomer {
  return { secretHash: hashOf(secret), run: String(run), hostname, architecture, address, kernel: '6.1.0', machineId, firstStep: 'download' }
}
