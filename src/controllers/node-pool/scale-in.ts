import type { Evidence } from '#model/evidence.ts'
import type { NodePoolRecord, NodePoolSpec } from '#model/node-pool/record.ts'
import { isMachineRemoved } from '#model/node/readiness.ts'
import type { NodeRecord } from '#model/node/record.ts'
import { DEADLINES } from '#model/status/deadlines.ts'
import { withFacts } from '#model/with-facts.ts'
import type { Transaction } from '#ports/store.ts'
import type { ScalingPlan } from './plan-scaling.ts'

/**
 * Members that a plan wants no more: switched off where the pool recycles its machines, has a place for them, and could use them again, else removed with them. Counted under the cluster's lock: however many do this
 * at once, no fewer than MinReplicas stay Running. Answers how many go.
 */
export async function scaleIn(tx: Transaction, { spec }: NodePoolRecord, { nodes, plan }: { readonly nodes: readonly NodeRecord[]; readonly plan: ScalingPlan }, now: number, evidence: readonly Evidence[]): Promise<number> {
  const { scaling } = spec
  const dropped = [...nodes.filter(isStopped).slice(0, plan.drop), ...nodes.filter(({ id }) => plan.givesWay.includes(id))]
  let spare = nodes.filter(node => isRunning(node) && !plan.givesWay.includes(node.id)).length - (scaling?.minReplicas ?? 0)
  const goes = candidates(nodes.filter(({ id }) => !plan.givesWay.includes(id)), plan, scaling?.enabled === true).slice(0, plan.surplus).filter(node => !isRunning(node) || spare-- > 0)
  const whole = scaling?.mode === 'Recycle' ? goes.filter(node => node.spec.machine !== undefined && node.facts.firstReadyAt !== undefined && node.facts.ordered?.power !== 'off' && !isOfNoUse(node, spec)) : []
  const staying = nodes.filter(node => !node.facts.deletion).length - dropped.length - goes.length
  let places = Math.min(whole.length, Math.max(0, (scaling?.maxReplicas ?? 0) - staying))
  const locked = new Map((await tx.lockNodes([...goes, ...dropped].map(({ id }) => id))).map(node => [node.id, node]))
  // Places are for those that are most use: they come last.
  for (const { id } of [...goes, ...dropped].toReversed()) {
    const node = locked.get(id)
    if (!node) continue
    if (places > 0 && whole.some(one => one.id === id) && !isMachineRemoved(node.facts) && await hasMachine(tx, node)) {
      places -= 1
      await orderOff(tx, node, now, evidence)
    } else await remove(tx, node, now, evidence)
  }
  return locked.size
}

/** Members that are on all the same stay on, and stopped ones are switched on, those that were stopped first before others; those whose machines were removed meanwhile are none to be had again, and go, and one that would be of no use goes where it would be started. Answers how many are to run again. */
export async function startStopped(tx: Transaction, { spec: pool }: NodePoolRecord, { nodes, count }: { readonly nodes: readonly NodeRecord[]; readonly count: number }, now: number, evidence: readonly Evidence[]): Promise<number> {
  const on = nodes.filter(node => isStillOn(node, now)).sort((one, other) => (stillOnFrom(one) ?? 0) - (stillOnFrom(other) ?? 0))
  const stopped = nodes.filter(isStopped)
    .sort((one, other) => Number(isOfNoUse(one, pool)) - Number(isOfNoUse(other, pool)) || (one.facts.ordered?.since ?? 0) - (other.facts.ordered?.since ?? 0) || (one.id < other.id ? -1 : 1))
  let started = 0, replaced = 0
  for (const one of [...on, ...stopped]) {
    if (started + replaced === count) break
    const isThere = await hasMachine(tx, one), node = await tx.lockNode(one.id)
    if (!node) continue
    if (!isThere || (isStopped(one) && isOfNoUse(node, pool))) {
      if (isThere) replaced += 1
      await remove(tx, node, now, evidence)
      continue
    }
    if (node.facts.ordered?.emptying) await takeBack(tx, node, evidence)
    else await orderOn(tx, node, now, evidence)
    started += 1
  }
  // What runs on each node is asked for there again, once it should be back.
  const [some] = started > 0 ? [...on, ...stopped] : []
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

/** Its own controller empties it, and asks its machine to go off then. */
async function orderOff(tx: Transaction, node: NodeRecord, now: number, evidence: readonly Evidence[]): Promise<void> {
  await tx.changeNode(node.id, { facts: { ...node.facts, ordered: { power: 'off', since: now, emptying: true } } }, { evidence })
  await tx.enqueue({ kind: 'node', id: node.id, region: node.region })
}

async function takeBack(tx: Transaction, { id, region, facts }: NodeRecord, evidence: readonly Evidence[]): Promise<void> {
  await tx.changeNode(id, { facts: withFacts(facts, { ordered: undefined }) }, { evidence })
  await tx.enqueue({ kind: 'node', id, region })
}

async function orderOn(tx: Transaction, node: NodeRecord, now: number, evidence: readonly Evidence[]): Promise<void> {
  await tx.changeNode(node.id, { facts: { ...node.facts, ordered: { power: 'on', since: now } } }, { evidence })
  if (node.spec.machine !== undefined && await tx.lockMachine(node.spec.machine)) {
    await tx.changeMachine(node.spec.machine, { power: 'on' })
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

/** Somebody cordoned it, and would find it so when it is on again: an autoscaler has one in its place on which pods find room, unless that would begin cordoned as well. */
export function isOfNoUse({ facts: { unschedulable, cordonedToStop } }: NodeRecord, { scaling, cordon }: NodePoolSpec): boolean {
  return scaling?.enabled === true && unschedulable && cordonedToStop === undefined && cordon !== true
}

function isRunning({ said, facts }: NodeRecord): boolean {
  return said.status.phase === 'Running' && !facts.deletion && facts.ordered?.power !== 'off'
}

/** Its pool has ordered it off, and it is on all the same. */
export function isStillOn(node: NodeRecord, now: number): boolean {
  return (stillOnFrom(node) ?? Infinity) <= now
}

/** From when on one that its pool has ordered off counts as on: at once while its machine has not been asked, and then once that should long be off. In between it may go off at any moment, with what came to it. */
export function stillOnFrom({ said, facts: { deletion, ordered } }: NodeRecord): number | undefined {
  if (said.status.phase !== 'Stopping' || deletion || !ordered) return undefined
  return ordered.emptying ? 0 : ordered.since + DEADLINES.nodeStop
}

function isStopped({ said, facts }: NodeRecord): boolean {
  return said.status.phase === 'Stopped' && !facts.deletion
}
