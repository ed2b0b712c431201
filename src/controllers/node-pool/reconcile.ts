import { isDeepStrictEqual } from 'node:util'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import { NODE_POOL_RULES, nextInstantOfNodePool } from '#model/node-pool/rules.ts'
import { targetOf } from '#model/node-pool/scaling.ts'
import { ownMachine } from '#model/node/claim.ts'
import { nodePoolSight } from '#model/node-pool/sight.ts'
import type { NodeRecord } from '#model/node/record.ts'
import { nodeName } from '#model/settle.ts'
import type { Evidence } from '#model/evidence.ts'
import { verdict } from '#model/status/rules.ts'
import { withFacts } from '#model/with-facts.ts'
import type { Controller } from '#ports/controller.ts'
import type { MachineRecord } from '#ports/store.ts'
import { act } from './act.ts'
import { decideNodePool, lastClaim, type NodePoolDecision, type NodePoolPassSeen } from './decide.ts'
import { stillLeft, type Leftovers } from './leftovers.ts'
import type { NodePoolPorts } from './ports.ts'
import { toldAtOf } from './refused-claims.ts'
import { isScaled, lookForWanted, scale, startWanted } from './scale.ts'
import { activeOf } from './share-need.ts'

const CLUSTER_AGAIN_MS = 30_000

/** Admits members, brings the pool to its size, follows an update until it is on every node, and takes a pool down after its nodes. */
export function nodePoolController(ports: NodePoolPorts): Controller {
  return {
    kind: 'node-pool',
    async reconcile(id) {
      const record = await ports.store.findNodePool(id)
      if (!record) return {}
      return { lookAgainAt: await pass(record, ports) }
    },
  }
}

async function pass(record: NodePoolRecord, ports: NodePoolPorts): Promise<number | undefined> {
  const { store } = ports
  const [cluster, nodes, claim, leftovers] = await Promise.all([
    store.findCluster(record.clusterId), looksAtNodes(record) ? store.nodesOf({ nodePoolId: record.id }) : [], lastClaimOf(record, store), leftoversOf(record, store),
  ])
  const toldAt = claim && toldAtOf(record, ports)
  const seen = { now: ports.regionOf(record.region).clock.now(), record, cluster, nodes, ...claim && { claim }, ...leftovers && { leftovers }, ...toldAt !== undefined && { toldAt } }
  const decision = decideNodePool(seen)
  ports.onDecision?.({ by: 'decideNodePool', about: record.id, seen, decided: decision })
  const instant = nextInstantOfNodePool(nodePoolSight({ facts: decision.facts, counts: record.counts }, cluster, seen.now))
  const due = soonest(decision.lookAgainAt, instant)
  if (cluster && isScaled(record, cluster, decision.facts)) return soonest(due, await scale({ record, decision, isNews: saysMore(record, seen, decision), cluster }, ports))
  const wanted = cluster && await lookForWanted(record, cluster, decision.facts, ports)
  const told = wanted?.awaits ? { ...decision, facts: withFacts(decision.facts, { awaits: wanted.awaits }) } : decision
  if (saysMore(record, seen, told)) await write(record, { now: seen.now, nodes }, told, ports)
  if (wanted && wanted.start > 0) await startWanted(record, ports)
  if (decision.step) await act(decision.step, record, ports)
  if (decision.step === 'forget') return undefined
  return soonest(soonest(due, wanted?.awaits?.until), waitsForCluster(record, cluster) ? seen.now + clusterAgain(seen.now, cluster) : undefined)
}

/** A pool's members are read only where something depends on each of them; its counters are on its record. */
function looksAtNodes({ facts }: NodePoolRecord): boolean {
  return facts.deletion !== undefined || facts.updating !== undefined || facts.without !== undefined
}

/** Of a pool that stays, a claim is answered in the transaction that sizes it. */
async function lastClaimOf({ id, facts }: NodePoolRecord, store: NodePoolPorts['store']): Promise<MachineRecord | undefined> {
  const claim = facts.deletion && lastClaim(facts)
  return claim === undefined ? undefined : ownMachine(await store.findMachine(claim), { nodePoolId: id })
}

async function leftoversOf({ id, facts: { leftovers } }: NodePoolRecord, store: NodePoolPorts['store']): Promise<Leftovers | undefined> {
  return leftovers && stillLeft(id, leftovers, await store.machinesById(leftovers.map(({ claim }) => claim)))
}

/** Its cluster wakes it once its API is back, so this is only for what went otherwise, and ever more seldom. */
function clusterAgain(now: number, cluster: ClusterRecord | undefined): number {
  return Math.max(CLUSTER_AGAIN_MS, (now - (cluster?.facts.notReadySince ?? now)) / 8)
}

/** A pool that makes its own machines makes none while its cluster's API is away. */
function waitsForCluster({ spec: { scaling }, facts, counts }: NodePoolRecord, cluster: ClusterRecord | undefined): boolean {
  if (!scaling || !cluster || facts.deletion || facts.creationEnded || !facts.ready || cluster.facts.deletion || cluster.facts.unpaid) return false
  return scaling.enabled || facts.refused !== undefined || activeOf(counts) !== targetOf(scaling)
}

/** Facts that differ, nodes to wake, or rules that say something else by time alone. A pass with nothing new writes nothing. */
function saysMore(record: NodePoolRecord, { now, cluster }: NodePoolPassSeen & { cluster: Parameters<typeof nodePoolSight>[1] | undefined }, { facts, wake }: NodePoolDecision): boolean {
  if (wake.length > 0 || !isDeepStrictEqual(facts, record.facts)) return true
  return cluster !== undefined && verdict(NODE_POOL_RULES, nodePoolSight(record, cluster, now)).rule !== record.said.rule
}

async function write(record: NodePoolRecord, { now, nodes }: { readonly now: number; readonly nodes: readonly NodeRecord[] }, { facts, saw, wake }: NodePoolDecision, ports: NodePoolPorts): Promise<void> {
  const evidence: Evidence[] = [{ observer: 'node pool controller', source: saw.source, observedAt: now, fact: saw.fact }]
  const stuck = facts.obstacles.length === 0 ? undefined : nodes.find(node => node.said.status.conditions.some(condition => condition === 'ResourceCleanupFailed'))
  await ports.store.write(now, async tx => {
    await tx.lockCluster(record.clusterId)
    if (!(await tx.lockNodePool(record.id))) return
    await tx.changeNodePool(record.id, { revision: record.revision, facts }, { evidence, ...stuck && { causedBy: nodeName(stuck) } })
    for (const id of wake) await tx.enqueue({ kind: 'node', id, region: record.region })
  })
}

function soonest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? one ?? other : Math.min(one, other)
}
