import type { Evidence } from '../evidence.ts'
import { DEADLINES, soonestAfter } from '../status/deadlines.ts'
import type { Rule } from '../status/rules.ts'
import { spanText } from '../time.ts'
import { at, failedStep, heartbeats, overdueStep, stepSoFar } from './initialisation.ts'
import { stillThere } from './leaving.ts'
import { switchingFails } from './not-switched.ts'
import { initialisationEndsAt, initialisationMs, isMachineRemoved, isOlderThanPowerOn, isReady, nodeDeletionDeadline, wasEverReady } from './readiness.ts'
import type { NodeSight } from './sight.ts'
import type { NodeStatus } from './status.ts'

const NOT_READY: NodeStatus = { phase: 'Failed', conditions: ['NotReady'] }

/** The node table of status-rules.md, line by line; row 8 is one rule a cause, so that the rule's name alone tells which. */
const TABLE: readonly Rule<NodeSight, NodeStatus>[] = [
  {
    name: 'being removed',
    holds: seen => isBeingDeleted(seen) && seen.facts.obstacles.length === 0 && !isDeletionOverdue(seen),
    shows: () => ({ phase: 'Deleting', conditions: ['Progressing'] }),
    because: seen => `${askedBy(seen)} was asked for at ${at(seen.facts.deletion?.requestedAt)}${done(seen)}`,
  },
  {
    name: 'could not be removed',
    holds: isBeingDeleted,
    // As in the row of arrears: what was ordered off and is still on was not shut down.
    shows: seen => ({ phase: 'Failed', conditions: isShutDown(seen) ? ['Balance', 'ResourceCleanupFailed'] : ['ResourceCleanupFailed'] }),
    evidence: seen => (isShutDown(seen) ? arrearsOf(seen) : []),
    because: seen => seen.facts.obstacles.join('; ') || `It was not gone ${spanText(nodeDeletionDeadline(seen))} after its removal was asked for${missing(seen)}${done(seen)}`,
  },
  {
    name: 'a step of its initialisation failed',
    holds: seen => !wasEverReady(seen) && seen.facts.initialiseFailed !== undefined,
    shows: () => ({ phase: 'Failed', conditions: ['InitializeFailed'] }),
    because: failedStep,
  },
  {
    name: 'its initialisation took too long',
    holds: seen => !wasEverReady(seen) && initialisationMs(seen) >= DEADLINES.nodeInitialisation,
    shows: () => ({ phase: 'Failed', conditions: ['InitializeFailed'] }),
    because: overdueStep,
  },
  {
    name: 'creation ended',
    holds: seen => !wasEverReady(seen) && seen.facts.creationEnded !== undefined,
    shows: () => ({ phase: 'Failed', conditions: ['Unknown'] }),
    because: seen => seen.facts.creationEnded?.because ?? '',
  },
  {
    name: 'not yet a Ready member',
    holds: seen => !wasEverReady(seen),
    shows: () => ({ phase: 'Creating', conditions: ['Progressing'] }),
    because: seen => `It was claimed at ${at(seen.facts.claimedAt)} and is no Ready member of the cluster yet; ${stepSoFar(seen)}`,
  },
  {
    name: 'shut down for arrears',
    // What was ordered is not what is: a machine that still runs is told of by its kubelet.
    holds: seen => seen.facts.unpaid && seen.facts.power?.state === 'off',
    shows: () => ({ phase: 'Failed', conditions: ['Balance'] }),
    because: seen => `Its machine was shut down because the account is in arrears; its power is off since ${at(seen.facts.power?.since)}`,
    evidence: arrearsOf,
  },
  {
    name: 'not on again since its arrears were paid',
    // Its provider may refuse it that; then it is off for that reason, as one that does not start.
    holds: seen => isComingBack(seen) && seen.facts.power?.state === 'off' && seen.now < backBy(seen),
    shows: () => ({ phase: 'Failed', conditions: ['Balance'] }),
    because: seen => `Its machine was shut down because the account was in arrears; they were paid at ${at(seen.facts.paidAt)}, and it is being switched on again`,
  },
  {
    name: 'ordered to stop',
    holds: seen => seen.facts.ordered?.power === 'off' && seen.facts.power?.state !== 'off',
    shows: () => ({ phase: 'Stopping', conditions: ['Progressing'] }),
    because: seen => `Its pool ordered the machine to stop at ${at(seen.facts.ordered?.since)}, and ${seen.facts.ordered?.emptying ? 'its pods are asked to leave first' : 'it is not off yet'}`,
  },
  {
    name: 'stopped by its pool',
    // What is gone is not off, and comes back by no order.
    holds: seen => seen.facts.ordered?.power === 'off' && !isMachineRemoved(seen.facts),
    shows: () => ({ phase: 'Stopped', conditions: ['Ok'] }),
    because: seen => `Its pool ordered the machine to stop, and it is off since ${at(seen.facts.power?.since)}`,
  },
  {
    name: 'ordered to start',
    holds: seen => isStarting(seen) && !isStartOverdue(seen),
    shows: () => ({ phase: 'Starting', conditions: ['Progressing'] }),
    because: seen => `Its pool ordered the machine to start at ${at(seen.facts.ordered?.since)}, and it is not Ready yet`,
  },
  {
    name: 'its machine was removed',
    holds: seen => isMachineRemoved(seen.facts),
    shows: () => NOT_READY,
    because: seen => `Machine ${seen.facts.power?.machine ?? ''} was removed from its region and is off since ${at(seen.facts.power?.since)}; it cannot come back`,
  },
  {
    name: 'its machine is off',
    holds: seen => seen.facts.power?.state === 'off',
    shows: () => NOT_READY,
    because: seen => `The power of machine ${seen.facts.power?.machine ?? ''} is off since ${at(seen.facts.power?.since)}${isComingBack(seen) ? `; it was shut down for arrears, which were paid at ${at(seen.facts.paidAt)}, and its provider has not switched it on again since` : ''}`,
  },
  {
    name: 'its Node object is gone',
    holds: seen => seen.facts.ready === undefined,
    shows: () => NOT_READY,
    because: seen => `The cluster has no Node object of it${machineState(seen)}`,
  },
  {
    name: 'not heard of since its machine was switched on',
    holds: isOlderThanPowerOn,
    shows: () => NOT_READY,
    because: seen => `Machine ${seen.facts.power?.machine ?? ''} was switched on${seen.facts.paidAt === undefined ? '' : ' again'} at ${at(seen.facts.power?.lastOnAt)}${seen.facts.paidAt === undefined ? '' : ', since the arrears it was shut down for were paid'}, and the cluster has heard nothing from its kubelet since then`,
  },
  {
    name: 'its heartbeats stopped',
    holds: seen => seen.facts.ready?.status === 'Unknown',
    shows: () => NOT_READY,
    because: seen => `The heartbeats of its kubelet stopped: ${heartbeats(seen.facts)}${machineState(seen)}`,
  },
  {
    name: 'its kubelet says that it is not ready',
    holds: seen => seen.facts.ready?.status === 'False',
    shows: () => NOT_READY,
    because: seen => `Its kubelet says since ${at(seen.facts.ready?.since)} that it is not ready: ${seen.facts.ready?.message || seen.facts.ready?.reason || 'no message'}${pressures(seen)}`,
  },
  {
    name: 'its configuration is on the way to it',
    holds: seen => seen.facts.outOfSync,
    shows: () => ({ phase: 'Updating', conditions: ['Progressing'] }),
    because: () => 'Labels, taints or version of its pool are not yet in its Node object',
  },
  {
    name: 'cordoned',
    holds: seen => seen.facts.unschedulable,
    shows: () => ({ phase: 'Running', conditions: ['Unschedulable'] }),
    because: seen => `It is Ready and cordoned: spec.unschedulable is set in its Node object${pressures(seen)}`,
  },
  {
    name: 'works',
    holds: () => true,
    shows: () => ({ phase: 'Running', conditions: ['Ok'] }),
    because: seen => `Its kubelet is Ready since ${at(seen.facts.ready?.since)}${pressures(seen)}`,
  },
]

/** Whatever is shown of it, its machine is not as it is to be while its provider fails at switching it, and may cost on. */
export const NODE_RULES: readonly Rule<NodeSight, NodeStatus>[] = TABLE.map(rule => ({
  ...rule,
  because: seen => `${rule.because(seen)}${notSwitched(seen)}`,
  evidence: seen => [...rule.evidence?.(seen) ?? [], ...switchingEvidence(seen)],
}))

/** When the verdict can change by time alone. */
export function nextInstantOfNode(seen: NodeSight): number | undefined {
  const { deletion, ordered } = seen.facts
  return soonestAfter(seen.now, [
    deletion && deletion.requestedAt + nodeDeletionDeadline(seen),
    wasEverReady(seen) || seen.facts.initialiseFailed ? undefined : initialisationEndsAt(seen),
    ordered && isStarting(seen) ? ordered.since + DEADLINES.nodeStart : undefined,
    isComingBack(seen) ? backBy(seen) : undefined,
  ])
}

function isShutDown({ facts }: NodeSight): boolean {
  return facts.unpaid && facts.power?.state !== 'on'
}

function arrearsOf({ facts }: NodeSight): readonly Evidence[] {
  return facts.unpaid && facts.arrears ? [facts.arrears] : []
}

function notSwitched(seen: NodeSight): string {
  const failing = failingSwitch(seen)
  return failing ? `${isToBeShutDown(seen) ? '; its account is in arrears, and its machine is to be off' : ''}; ${switchingFails(failing)}` : ''
}

function switchingEvidence(seen: NodeSight): readonly Evidence[] {
  const failing = failingSwitch(seen)
  return failing ? [...isToBeShutDown(seen) ? arrearsOf(seen) : [], ...failing.evidence ? [failing.evidence] : []] : []
}

function failingSwitch({ facts: { notSwitched: failing, power } }: NodeSight): NodeSight['facts']['notSwitched'] {
  return failing && power?.state !== failing.to ? failing : undefined
}

function isToBeShutDown({ facts }: NodeSight): boolean {
  return facts.unpaid && facts.power?.state === 'on'
}

/** What was switched off for arrears is off for them until it is on again; off since then, it is off for another reason. */
function isComingBack({ facts }: NodeSight): boolean {
  return facts.paidAt !== undefined && facts.ordered?.power !== 'off' && !isMachineRemoved(facts) && facts.power !== undefined && facts.power.since <= facts.paidAt
}

/** It has as long to be on again as one that its pool starts. */
function backBy({ facts }: NodeSight): number {
  return (facts.paidAt ?? 0) + DEADLINES.nodeStart
}

function isBeingDeleted(seen: NodeSight): boolean {
  return seen.facts.deletion !== undefined
}

function isDeletionOverdue(seen: NodeSight): boolean {
  return seen.facts.deletion !== undefined && seen.now - seen.facts.deletion.requestedAt >= nodeDeletionDeadline(seen)
}

function isStarting(seen: NodeSight): boolean {
  return seen.facts.ordered?.power === 'on' && !isReady(seen)
}

function isStartOverdue(seen: NodeSight): boolean {
  return seen.facts.ordered !== undefined && seen.now - seen.facts.ordered.since >= DEADLINES.nodeStart
}

const ASKED_BY = { call: 'Its removal', pool: 'The deletion of its node pool', cluster: 'The deletion of its cluster', scaling: 'Its removal by its pool, which needs it no more,' } as const

function askedBy(seen: NodeSight): string {
  return ASKED_BY[seen.facts.deletion?.by ?? 'call']
}

function missing({ facts }: NodeSight): string {
  const what = stillThere(facts)
  return what === undefined ? '' : `: ${what}`
}

function done(seen: NodeSight): string {
  const steps = seen.facts.deletion?.done ?? []
  return steps.length === 0 ? '' : `; done so far: ${steps.join(', ')}`
}

/** What the machine's provider sees, where there is one: that the power is on, and whether the network is cut. */
function machineState(seen: NodeSight): string {
  const { power } = seen.facts
  if (power?.state !== 'on') return ''
  const cutSince = power.linkSince === undefined ? '' : ` since ${at(power.linkSince)}`
  const link = power.link === 'cut' ? `, and its network link is cut${cutSince}` : power.link === 'up' ? ', and its network link is up' : ''
  return `; the power of machine ${power.machine} is on since ${at(power.since)}${link}`
}

function pressures(seen: NodeSight): string {
  const { pressures: held = [] } = seen.facts
  return held.length === 0 ? '' : `; it reports ${held.join(', ')}`
}
