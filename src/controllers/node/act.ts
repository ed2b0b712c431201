import type { ClusterRecord } from '#model/cluster/record.ts'
import type { Evidence } from '#model/evidence.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import { LEFT } from '#model/node/leaving.ts'
import type { NodeFacts, NodeRecord } from '#model/node/record.ts'
import { withFacts } from '#model/with-facts.ts'
import type { TenantClusterAddress } from '#ports/tenant-cluster.ts'
import { goesWithCluster } from './decide-leaving.ts'
import type { NodeStep } from './decide.ts'
import { doneEvidence } from './evidence.ts'
import { forgetNode } from './forget.ts'
import { giveBack } from './give-back.ts'
import { askMachineGone, stopEmptied, switchMachine } from './machine-orders.ts'
import { ensureMembers } from './members.ts'
import type { NodePorts } from './ports.ts'
import { configOf, configText, wishOf } from '#model/node-pool/node-config.ts'
import type { NodePassSeen } from './seen.ts'

const SECOND = 1_000

export interface NodeParents {
  readonly cluster: ClusterRecord | undefined
  readonly pool: NodePoolRecord | undefined
}

/** Takes one step; `lookAgainAt` where the step itself says when there is more to do. */
export async function act(step: NodeStep, record: NodeRecord, seen: NodePassSeen, parents: NodeParents, ports: NodePorts): Promise<{ lookAgainAt?: number }> {
  if (step === 'forget') {
    await forgetNode(record, goesWithCluster(record, parents.cluster) ? 'clusterGoes' : seen.apiAnswers ? 'left' : 'apiAway', ports)
    return {}
  }
  switch (step) {
    case 'giveBack': await giveBack(record, ports); return {}
    case 'stop': await stopEmptied(record, ports); return {}
    case 'askMachineGone': await askMachineGone(record, ports); return {}
    case 'switchOff': await switchMachine(record, 'off', ports); return {}
    case 'switchOn': await switchMachine(record, 'on', ports); return {}
    case 'ensureMembers': case 'ensureNodeConfig': case 'cordonNew': case 'leaveMembers': case 'cordon': case 'evict': case 'ensureNodeGone': case 'empty': case 'open': return await actInside(step, record, seen, parents, ports)
  }
}

type InsideStep = Exclude<NodeStep, 'forget' | 'giveBack' | 'stop' | 'askMachineGone' | 'switchOff' | 'switchOn'>

/** Steps that are taken inside the tenant cluster. */
async function actInside(step: InsideStep, record: NodeRecord, seen: NodePassSeen, parents: NodeParents, ports: NodePorts): Promise<{ lookAgainAt?: number }> {
  const { tenant } = ports.regionOf(record.region)
  const address = parents.cluster && await ports.tenantAddressOf(parents.cluster)
  if (!address) throw new Error(`Reading address and keys of cluster ${record.clusterId}: they are not there`)
  const { name } = record.spec
  switch (step) {
    case 'ensureMembers': await ensureMembers(address, ports.store, tenant); return {}
    case 'ensureNodeConfig': return await ensureNodeConfig(record, address, parents, ports)
    case 'cordonNew': {
      await tenant.setSchedulable(address, name, false)
      await changeNode(record, ports, facts => withFacts(facts, { toCordon: undefined }), doneEvidence(name, 'cordoned, as its pool wants of new nodes', ports.regionOf(record.region).clock.now()), false)
      // A node that registered so does not change by it, and nobody else says that its labels and taints are next.
      return { lookAgainAt: ports.regionOf(record.region).clock.now() + SECOND / 5 }
    }
    case 'leaveMembers': await ensureMembers(address, ports.store, tenant); await markDone(record, LEFT.members, ports); return {}
    case 'cordon': await tenant.setSchedulable(address, name, false); await markDone(record, LEFT.cordoned, ports); return {}
    case 'evict': return await evict(record, seen, address, ports)
    case 'ensureNodeGone': await tenant.ensureNodeGone(address, name); await markDone(record, LEFT.object, ports); return {}
    case 'empty': return await empty(record, seen, address, ports)
    case 'open': {
      await tenant.setSchedulable(address, name, true, 'pool')
      if (record.facts.cordonedToStop) await tenant.setSchedulable(address, name, true)
      await changeNode(record, ports, facts => withFacts(facts, { closedToStop: undefined, cordonedToStop: undefined }), doneEvidence(name, 'open to pods, as it is to run again', ports.regionOf(record.region).clock.now()), false)
      return {}
    }
  }
}

async function evict(record: NodeRecord, seen: NodePassSeen, address: TenantClusterAddress, ports: NodePorts): Promise<{ lookAgainAt?: number }> {
  if (!(await isEmptied(record, seen, address, ports))) return { lookAgainAt: seen.now + SECOND }
  await markDone(record, LEFT.evicted, ports)
  return {}
}

/** Closed in each round, which costs nothing where it is so. */
async function empty(record: NodeRecord, seen: NodePassSeen, address: TenantClusterAddress, ports: NodePorts): Promise<{ lookAgainAt?: number }> {
  await ports.regionOf(record.region).tenant.setSchedulable(address, record.spec.name, false, 'pool')
  if (!(await isEmptied(record, seen, address, ports))) return { lookAgainAt: seen.now + SECOND }
  await stopEmptied(record, ports)
  return {}
}

/** One round of evictions. A machine that is off ends no pod, so it gets one and no waiting. */
async function isEmptied({ region, spec }: NodeRecord, { object }: NodePassSeen, address: TenantClusterAddress, ports: NodePorts): Promise<boolean> {
  const left = await ports.regionOf(region).tenant.evict(address, spec.name)
  return left === 0 || object?.fact.ready?.status !== 'True'
}

async function ensureNodeConfig(record: NodeRecord, address: TenantClusterAddress, { pool }: NodeParents, ports: NodePorts): Promise<{ lookAgainAt?: number }> {
  if (!pool) return {}
  const { tenant, clock } = ports.regionOf(record.region)
  const wish = wishOf(pool.spec, record.spec), { labels, taints } = wish, { begins } = record.facts
  const outcome = await tenant.ensureNodeConfig(address, record.spec.name, { labels, taints, ...begins !== undefined && { began: configOf(begins) } })
  if (outcome === 'pending') return { lookAgainAt: clock.now() + SECOND }
  const configured = configText(wish)
  if (record.facts.configured === configured) return { lookAgainAt: clock.now() + SECOND }
  const evidence = doneEvidence(record.spec.name, 'labels and taints of its pool put on', clock.now())
  await changeNode(record, ports, facts => withFacts(facts, { configured, begins: undefined }), evidence, awaitsConfig(pool))
  // The watch brings the changed object; where nothing had to change no event comes, and the next pass says so.
  return { lookAgainAt: clock.now() + SECOND / 5 }
}

/** The pool tells which nodes are without its labels and taints, so it hears of each that gets them. */
export function awaitsConfig({ facts }: NodePoolRecord): boolean {
  return facts.updating !== undefined || facts.without !== undefined
}

async function markDone(record: NodeRecord, done: string, ports: NodePorts): Promise<void> {
  await changeNode(record, ports, facts => facts.deletion && !facts.deletion.done.includes(done)
    ? { ...facts, deletion: { ...facts.deletion, done: [...facts.deletion.done, done] } }
    : facts, doneEvidence(record.spec.name, done, ports.regionOf(record.region).clock.now()), false)
}

async function changeNode(record: NodeRecord, ports: NodePorts, change: (facts: NodeFacts) => NodeFacts, evidence: Evidence, poolWaits: boolean): Promise<void> {
  await ports.store.write(ports.regionOf(record.region).clock.now(), async tx => {
    const locked = await tx.lockNode(record.id)
    if (!locked) return
    await tx.changeNode(record.id, { revision: locked.revision, facts: change(locked.facts) }, { evidence: [evidence] })
    if (poolWaits) await tx.enqueue({ kind: 'node-pool', id: record.nodePoolId, region: record.region })
  })
}
