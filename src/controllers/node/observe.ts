import type { ClusterRecord } from '#model/cluster/record.ts'
import { ownMachine } from '#model/node/claim.ts'
import { isOlderThanPowerOn } from '#model/node/readiness.ts'
import type { NodeRecord } from '#model/node/record.ts'
import { withFacts } from '#model/with-facts.ts'
import type { MachinePowerFact } from '#ports/machine-power.ts'
import type { MachineRecord, Sight } from '#ports/store.ts'
import { failed } from '#ports/not-removed.ts'
import { TenantClusterUnreachable } from '#ports/tenant-cluster.ts'
import { isEmptiedStill } from './decide-stopping.ts'
import type { NodePorts, NodeRegion } from './ports.ts'
import type { NodePassSeen, Watched } from './seen.ts'
import { kubernetesNodeFact, NODE_GONE, type KubernetesNodeFact } from './sights.ts'

/** Reads records and sights; asks the tenant cluster itself only where sights cannot tell: in deletion, before it is switched off, and for the first heartbeat after power-on. */
export async function observeNode(record: NodeRecord, ports: NodePorts): Promise<NodePassSeen> {
  const { store } = ports
  const region = ports.regionOf(record.region), { logins } = region
  const loginUnderWay = record.facts.login !== undefined && logins?.isUnderWay(record.id) === true
  const [cluster, pool, [object], found] = await Promise.all([
    store.findCluster(record.clusterId), store.findNodePool(record.nodePoolId), store.sights('KubernetesNode', [record.id]), machineOf(record, ports),
  ])
  const seen = { ...seenFrom(record, region, { cluster, pool, object, ...found }), ...loginUnderWay && { loginUnderWay } }
  if (!isUsable(seen)) return seen
  if (fellSilent(seen)) return { ...seen, object: await withLease(seen.object, record, seen.cluster, ports) }
  if (!asksItself(seen)) return seen
  const fresh = await lookNow(record, seen.cluster, ports)
  return fresh ? { ...seen, object: fresh, apiAnswers: true } : seen
}

export interface NodeFound {
  readonly cluster: ClusterRecord | undefined
  readonly pool: NodePassSeen['pool']
  readonly machine: MachineRecord | undefined
  readonly object: Sight | undefined
  readonly power: Sight | undefined
}

/** What records and sights alone tell. */
export function seenFrom(record: NodeRecord, { clock, tellsAll }: NodeRegion, { cluster, pool, machine, object, power }: NodeFound): NodePassSeen {
  const now = clock.now(), watchedPower = machine?.machineId === undefined ? undefined : watched<MachinePowerFact>(power, power?.seenAt ?? 0)
  return {
    now, record, pool, cluster, apiAnswers: false, machine: record.spec.machine === undefined ? undefined : machine,
    power: watchedPower && machine && { ...watchedPower, machine: machine.name }, object: watched<KubernetesNodeFact>(object, now), ...tellsAll && { tellsAll },
  }
}

/** True where the tenant cluster itself has to be asked for the node. */
export function asksItself(seen: NodePassSeen): boolean {
  return isUsable(seen) && (seen.record.facts.deletion !== undefined || isEmptiedStill(seen.record.facts, seen.now) || awaitsFirstHeartbeat(seen))
}

/** The same, with the last renewal of the Lease of a node that fell silent. */
export async function askedForSilence(record: NodeRecord, seen: NodePassSeen, ports: NodePorts): Promise<NodePassSeen> {
  return isUsable(seen) && fellSilent(seen) ? { ...seen, object: await withLease(seen.object, record, seen.cluster, ports) } : seen
}

function isUsable<Seen extends NodePassSeen>(seen: Seen): seen is Seen & { cluster: ClusterRecord } {
  return seen.cluster !== undefined && !seen.cluster.facts.deletion && seen.cluster.facts.controlPlane === 'usable'
}

async function machineOf({ id, region, spec }: NodeRecord, { store }: NodePorts): Promise<Pick<NodeFound, 'machine' | 'power'>> {
  const machine = spec.machine !== undefined ? ownMachine(await store.findMachine(spec.machine), { nodeId: id }) : await store.findMachineByMachineId(region, spec.machineId)
  const [power] = machine?.machineId === undefined ? [] : await store.sights('MachinePower', [machine.id])
  return { machine, power }
}

function watched<Fact>(sight: Sight | undefined, now: number): Watched<Fact> | undefined {
  if (!sight) return undefined
  const { seenAt, observer, stale, staleSince } = sight
  return { fact: sight.fact as Fact, seenAt, observer, ...(stale && { staleSince: staleSince ?? now }) }
}

/** The machine was switched on, and the last that is known of its kubelet is from before. */
function awaitsFirstHeartbeat({ record: { facts }, object, power, now }: NodePassSeen): boolean {
  if (power?.fact.state !== 'on' || power.staleSince !== undefined || object?.fact.ready?.status !== 'True' || object.staleSince !== undefined) return false
  const { state, since, lastOnAt } = power.fact
  const known = withFacts(facts, { power: { state, since, machine: power.machine, ...(lastOnAt !== undefined && { lastOnAt }) } })
  return isOlderThanPowerOn({ now, facts: withFacts(known, { ready: object.fact.ready }) }) && isOlderThanPowerOn({ now, facts: known })
}

/** Kubernetes calls it Unknown, and no record says so yet: when its heartbeats stopped is asked once. */
function fellSilent<Seen extends NodePassSeen>(seen: Seen): seen is Seen & { object: Watched<KubernetesNodeFact> } {
  const { record: { facts }, object } = seen
  const known = facts.ready
  return !facts.deletion && object?.fact.ready?.status === 'Unknown' && object.staleSince === undefined && !(known?.status === 'Unknown' && known.since === object.fact.ready.since)
}

/** What the watch saw, with the last renewal of the node's Lease; as it was where that cannot be had. */
async function withLease(object: Watched<KubernetesNodeFact>, record: NodeRecord, cluster: ClusterRecord, ports: NodePorts): Promise<Watched<KubernetesNodeFact>> {
  const { tenant } = ports.regionOf(record.region)
  const address = await ports.tenantAddressOf(cluster)
  const { ready } = object.fact
  if (!address || !ready || !tenant.leaseRenewedAt) return object
  try {
    const leaseRenewedAt = await tenant.leaseRenewedAt(address, record.spec.name)
    return leaseRenewedAt === undefined ? object : { ...object, fact: { ...object.fact, ready: { ...ready, leaseRenewedAt } } }
  } catch (error) {
    if (error instanceof TenantClusterUnreachable) return object
    throw error
  }
}

/** `undefined` where the API gave no answer; then whatever was known before stands. */
async function lookNow(record: NodeRecord, cluster: ClusterRecord, ports: NodePorts): Promise<Watched<KubernetesNodeFact> | undefined> {
  const { tenant, clock } = ports.regionOf(record.region)
  const address = await ports.tenantAddressOf(cluster)
  if (!address) return undefined
  try {
    const node = await tenant.getNode(address, record.spec.name)
    return { fact: node ? kubernetesNodeFact(node) : NODE_GONE, seenAt: clock.now(), observer: 'node controller' }
  } catch (error) {
    if (error instanceof TenantClusterUnreachable) return undefined
    throw new Error(failed('getNode', [error instanceof Error ? error.message : String(error)]), { cause: error })
  }
}
