import type { Evidence } from '#model/evidence.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import { isMachineRemoved } from '#model/node/readiness.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { Transaction } from '#ports/store.ts'
import type { ScalingPlan } from './plan-scaling.ts'

/**
 * Members that a plan wants no more: switched off where the pool recycles its machines and has a place for them, else removed with them. Counted under the cluster's lock: however many do this
 * at once, no fewer than MinReplicas stay Running. Answers how many go.
 */
export async function scaleIn(tx: Transaction, { spec: { scaling } }: NodePoolRecord, { nodes, plan }: { readonly nodes: readonly NodeRecord[]; readonly plan: ScalingPlan }, now: number, evidence: readonly Evidence[]): Promise<number> {
  const dropped = [...nodes.filter(isStopped).slice(0, plan.drop), ...nodes.filter(({ id }) => plan.givesWay.includes(id))]
  let spare = nodes.filter(isRunning).length - (scaling?.minReplicas ?? 0)
  const goes = candidates(nodes.filter(({ id }) => !plan.givesWay.includes(id)), plan, scaling?.enabled === true).slice(0, plan.surplus).filter(node => !isRunning(node) || spare-- > 0)
  const whole = scaling?.mode === 'Recycle' ? goes.filter(({ spec, facts }) => spec.machine !== undefined && facts.firstReadyAt !== undefined && facts.ordered?.power !== 'off') : []
  const staying = nodes.filter(node => !node.facts.deletion).length - dropped.length - goes.length
  let places = Math.min(whole.length, Math.max(0, (scaling?.maxReplicas ?? 0) - staying))
  const locked = new Map((await tx.lockNodes([...goes, ...dropped].map(({ id }) => id))).map(node => [node.id, node]))
  // Places are for those that are most use: they come last.
  for (const { id } of [...goes, ...dropped].toReversed()) {
    const node = locked.get(id)
    if (!node) continue
    if (places > 0 && whole.some(one => one.id === id) && !isMachineRemoved(node.facts) && await hasMachine(tx, node)) {
      places -= 1
      await order(tx, node, 'off', now, evidence)
    } else await remove(tx, node, now, evidence)
  }
  return locked.size
}

/** Stopped members are switched on, those that were stopped first before others; those whose machines were removed meanwhile are none to be had again, and go. Answers how many are switched on. */
export async function startStopped(tx: Transaction, nodes: readonly NodeRecord[], count: number, now: number, evidence: readonly Evidence[]): Promise<number> {
  const stopped = nodes.filter(isStopped)
    .sort((one, other) => (one.facts.ordered?.since ?? 0) - (other.facts.ordered?.since ?? 0) || (one.id < other.id ? -1 : 1))
  let started = 0
  for (const { id, spec } of stopped) {
    if (started === count) break
    const isThere = await hasMachine(tx, { spec }), node = await tx.lockNode(id)
    if (!node) continue
    if (!isThere) {
      await remove(tx, node, now, evidence)
      continue
    }
    await order(tx, node, 'on', now, evidence)
    started += 1
  }
  // What runs on each node is asked for there again, once it should be back.
  const [some] = started > 0 ? stopped : []
  for (const addon of some ? await tx.addonsOf(some.clusterId) : []) await tx.enqueue({ kind: 'addon', id: addon.id, region: addon.region })
  return started
}

/**
 * First those that are broken, then those that are no use yet, then those that carry nothing, then the youngest. An autoscaler takes idle ones only, unless there are more than the most; a broken one that carries nothing
 * goes in place of one that works, however short it has been so.
 */
function candidates(nodes: readonly NodeRecord[], plan: ScalingPlan, isAutoscaled: boolean): NodeRecord[] {
  const members = nodes.filter(node => !node.facts.deletion && (node.facts.ordered?.power !== 'off' || isBroken(node)))
  const rank = (node: NodeRecord) => (isBroken(node) ? 0 : node.facts.firstReadyAt === undefined ? 1 : plan.ripe.includes(node.id) ? 2 : 3)
  const sorted = members.sort((one, other) => rank(one) - rank(other) || other.createdAt - one.createdAt || (one.id < other.id ? 1 : -1))
  if (!isAutoscaled) return sorted
  const free = sorted.filter(node => plan.ripe.includes(node.id) || (isBroken(node) && plan.idle?.[node.id] !== undefined))
  return [...free, ...sorted.filter(node => !free.includes(node)).slice(0, Math.max(0, plan.beyondMost - free.length))]
}

/** One that is being removed is gone for whoever counts on it, unless its removal was refused: then it is whole. */
async function hasMachine(tx: Transaction, { spec }: Pick<NodeRecord, 'spec'>): Promise<boolean> {
  const machine = spec.machine === undefined ? undefined : await tx.lockMachine(spec.machine)
  return machine !== undefined && (machine.deletionRequestedAt === undefined || machine.obstacle?.held === true)
}

async function order(tx: Transaction, node: NodeRecord, power: 'on' | 'off', now: number, evidence: readonly Evidence[]): Promise<void> {
  await tx.changeNode(node.id, { facts: { ...node.facts, ordered: { power, since: now } } }, { evidence })
  if (node.spec.machine !== undefined && await tx.lockMachine(node.spec.machine)) {
    await tx.changeMachine(node.spec.machine, { power })
    await tx.enqueue({ kind: 'machine', id: node.spec.machine, region: node.region })
  }
  await tx.enqueue({ kind: 'node', id: node.id, region: node.region })
}

async function remove(tx: Transaction, node: NodeRecord, now: number, evidence: readonly Evidence[]): Promise<void> {
  await tx.changeNode(node.id, { facts: { ...node.facts, obstacles: [], deletion: { requestedAt: now, by: 'scaling', done: [], machine: 'Destroy' } } }, { evidence })
  await tx.enqueue({ kind: 'node', id: node.id, region: node.region })
}

/** It does not work, and nobody is about to mend it: one that was shut down for arrears comes back when they are paid. */
export function isBroken({ said, facts }: NodeRecord): boolean {
  return said.status.phase === 'Failed' && !facts.deletion && !said.status.conditions.includes('Balance')
}

/** It is none to be had again: its machine is gone, or it never came to be a member. */
export function isLost({ said, facts }: NodeRecord): boolean {
  return said.status.phase === 'Failed' && !facts.deletion && (isMachineRemoved(facts) || facts.firstReadyAt === undefined)
}

function isRunning({ said, facts }: NodeRecord): boolean {
  return said.status.phase === 'Running' && !facts.deletion && facts.ordered?.power !== 'off'
}

function isStopped({ said, facts }: NodeRecord): boolean {
  return said.status.phase === 'Stopped' && !facts.deletion
}
