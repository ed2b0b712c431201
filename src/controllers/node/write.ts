import { isDeepStrictEqual } from 'node:util'
import type { Evidence } from '#model/evidence.ts'
import type { NodeFacts, NodeRecord, NodeSpec } from '#model/node/record.ts'
import { NODE_RULES, nextInstantOfNode } from '#model/node/rules.ts'
import { nodeSight } from '#model/node/sight.ts'
import { verdict } from '#model/status/rules.ts'
import { wakeSharers } from '#ports/sharing-pools.ts'
import type { Transaction } from '#ports/store.ts'
import { awaitsConfig } from './act.ts'
import type { NodeDecision } from './decide.ts'
import type { NodePassSeen } from './seen.ts'

/** What a pass writes of a node. */
export interface NodeChange {
  readonly spec: NodeSpec
  readonly facts: NodeFacts
  readonly evidence: readonly Evidence[]
  /** Its pool waits to hear of it, or has to count anew. */
  readonly tellPool: boolean
  /** It was on its way, or offered room, and does not any more: what pods need is another pool's to meet now. */
  readonly tellSharers: boolean
}

/** Facts that differ, or rules that say something else by time alone; undefined for a pass with nothing new, which writes nothing. */
export function changeOf(record: NodeRecord, { now, machine, pool }: NodePassSeen, { facts, evidence }: NodeDecision): NodeChange | undefined {
  const spec = machine?.machineId !== undefined && record.spec.machineId === '' ? { ...record.spec, machineId: machine.machineId } : record.spec
  const changes = spec !== record.spec || !isDeepStrictEqual(facts, record.facts)
  if (!changes && verdict(NODE_RULES, nodeSight(record, now)).rule === record.said.rule) return undefined
  const tellPool = pool !== undefined && ((awaitsConfig(pool) && facts.outOfSync !== record.facts.outOfSync) || (pool.spec.scaling !== undefined && isCountedOtherwise(record, facts, { now, isAutoscaled: pool.spec.scaling.enabled })))
  const tellSharers = tellPool && pool.spec.scaling?.enabled === true && record.said.status.phase !== 'Failed' && verdict(NODE_RULES, nodeSight({ facts }, now)).status.phase === 'Failed'
  return { spec, facts, evidence, tellPool, tellSharers }
}

/** A member that its pool ordered off or on stops, starts, or is taken back: what is too many or too few is another number then. An autoscaler has to look at one that comes to run, which may be idle, and at one that is lost, which may have to give way. */
function isCountedOtherwise(record: NodeRecord, facts: NodeFacts, { now, isAutoscaled }: { readonly now: number; readonly isAutoscaled: boolean }): boolean {
  const wasOrdered = record.facts.ordered !== undefined || facts.ordered !== undefined
  if (!wasOrdered && !isAutoscaled) return false
  const { phase } = verdict(NODE_RULES, nodeSight({ facts }, now)).status
  return phase !== record.said.status.phase && (wasOrdered || phase === 'Running' || phase === 'Failed')
}

/** Writes it to a node that this transaction has locked; throws StaleRevision if the record has moved on since it was read. */
export async function writeChange(tx: Transaction, record: NodeRecord, { spec, facts, evidence, tellPool, tellSharers }: NodeChange): Promise<void> {
  await tx.changeNode(record.id, { revision: record.revision, spec, facts }, { evidence })
  if (tellPool) await tx.enqueue({ kind: 'node-pool', id: record.nodePoolId, region: record.region })
  if (tellSharers) await wakeSharers(tx, { ...record, id: record.nodePoolId })
}

/** When the answer can change by time alone. */
export function dueAfter({ now }: NodePassSeen, decision: NodeDecision): number | undefined {
  const instant = nextInstantOfNode(nodeSight(decision, now))
  return decision.lookAgainAt === undefined || instant === undefined ? decision.lookAgainAt ?? instant : Math.min(decision.lookAgainAt, instant)
}
