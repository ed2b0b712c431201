import type { Evidence } from '../evidence.ts'
import { DEADLINES, DWELL, soonestAfter } from '../status/deadlines.ts'
import type { Rule } from '../status/rules.ts'
import { statusText } from '../status/table.ts'
import { rfc3339Seconds, spanText } from '../time.ts'
import type { CreationEnd } from './record.ts'
import type { ClusterSight } from './sight.ts'
import type { ClusterStatus } from './status.ts'

const STOPPED = 'stopped for arrears', STARTS = 'starting after payment', DID_NOT_START = 'did not start after payment'

/** Under these rules its pools and add-ons are {Failed,[ClusterNotRunning]}, and why: what a stop has pushed down comes back once the cluster was seen working again (ADR 25). */
export const CHILDREN_FAIL_UNDER: Readonly<Record<string, string>> = {
  [STOPPED]: 'Its cluster is Stopped', [STARTS]: 'Its cluster is Starting', [DID_NOT_START]: 'Its cluster was stopped for arrears, and has not been seen working since',
}

/** The cluster table of status-rules.md, line by line. */
export const CLUSTER_RULES: readonly Rule<ClusterSight, ClusterStatus>[] = [
  {
    name: 'being deleted',
    holds: seen => isBeingDeleted(seen) && seen.facts.obstacles.length === 0 && seen.stuckPools.length === 0 && !isDeletionOverdue(seen),
    shows: () => ({ phase: 'Deleting', conditions: ['Progressing'] }),
    because: seen => withWords(`Its deletion was asked for at ${rfc3339Seconds(seen.facts.deletion?.requestedAt ?? seen.now)}, and its resources are being removed`, seen),
  },
  {
    name: 'could not be removed',
    holds: seen => isBeingDeleted(seen) && (seen.facts.obstacles.length > 0 || seen.stuckPools.length === 0),
    shows: seen => ({ phase: 'Failed', conditions: seen.facts.unpaid ? ['Balance', 'ResourceCleanupFailed'] : ['ResourceCleanupFailed'] }),
    evidence: arrearsOf,
    because: seen => [...seen.facts.obstacles, ...stuck(seen)].join('; ') || withWords(`Its resources were not gone ${spanText(DEADLINES.clusterDeletion)} after the deletion was asked for`, seen),
  },
  {
    name: 'node pools of it could not be removed',
    derived: true,
    holds: isBeingDeleted,
    shows: seen => ({ phase: 'Failed', conditions: seen.facts.unpaid ? ['Balance', 'ResourceCleanupFailed'] : ['ResourceCleanupFailed'] }),
    evidence: arrearsOf,
    because: seen => stuck(seen).join('; '),
  },
  {
    name: 'creation ended',
    holds: seen => creationEnd(seen) !== undefined,
    shows: seen => ({ phase: 'Failed', conditions: [creationEnd(seen)?.as ?? 'CreateError'] }),
    because: seen => creationEnd(seen)?.because ?? '',
    evidence: seen => (creationEnd(seen)?.as === 'Balance' ? arrearsOf(seen) : []),
  },
  {
    name: 'not usable yet',
    holds: seen => !wasEverUsable(seen),
    shows: () => ({ phase: 'Creating', conditions: ['Progressing'] }),
    because: seen => seen.facts.waitsFor ?? seen.facts.controlPlaneSays ?? (seen.facts.controlPlane === 'absent' ? 'Its control plane is about to be made' : `Its control plane is ${seen.facts.controlPlane}`),
  },
  {
    name: STOPPED,
    holds: seen => seen.facts.unpaid && seen.facts.controlPlane === 'absent',
    shows: () => ({ phase: 'Stopped', conditions: ['Balance'] }),
    because: () => 'The account is in arrears past its grace time, and the control plane was shut down',
    evidence: arrearsOf,
  },
  {
    name: STARTS,
    holds: seen => isStarting(seen) && !isStartOverdue(seen),
    shows: () => ({ phase: 'Starting', conditions: ['Progressing'] }),
    because: seen => `The debt was paid at ${rfc3339Seconds(seen.facts.startingSince ?? seen.now)}, and the control plane comes back`,
  },
  {
    name: DID_NOT_START,
    holds: isStarting,
    shows: () => ({ phase: 'Failed', conditions: ['Unknown'] }),
    because: seen => seen.facts.startUnseen === undefined
      ? withWords(`Its control plane was not usable ${spanText(DEADLINES.clusterStart)} after the debt was paid`, seen)
      : `Its control plane was not seen usable ${spanText(DEADLINES.clusterStart)} after the debt was paid. ${seen.facts.startUnseen}`,
  },
  {
    name: 'down and not coming back',
    holds: seen => seen.facts.controlPlane === 'unkept',
    shows: () => ({ phase: 'Failed', conditions: ['Unknown'] }),
    because: seen => seen.facts.controlPlaneSays ?? 'Its control plane is down, and restarts did not help',
  },
  {
    name: 'node pools are moving',
    derived: true,
    holds: seen => seen.movingPools.length > 0,
    shows: () => ({ phase: 'Updating', conditions: ['Progressing'] }),
    because: seen => seen.movingPools.map(pool => `Node pool ${pool.name} is ${statusText(pool.status)}`).join('; '),
  },
  {
    name: 'a change of its own is under way',
    holds: seen => seen.facts.updating !== undefined,
    shows: () => ({ phase: 'Updating', conditions: ['Progressing'] }),
    because: seen => `${seen.facts.updating?.action ?? ''} is under way since ${rfc3339Seconds(seen.facts.updating?.since ?? seen.now)}`,
  },
  {
    name: 'degraded',
    holds: seen => seen.facts.degraded !== undefined && seen.now - seen.facts.degraded.since >= DWELL.clusterDegraded,
    shows: () => ({ phase: 'Running', conditions: ['Degraded'] }),
    because: seen => `Its API works, but ${downSince(seen)}${seen.facts.degraded?.why === undefined ? '' : `, and not started again: ${seen.facts.degraded.why}`}`,
  },
  {
    // Not a state of its own: a component that ended is started again within seconds, and what cannot be kept up becomes `unkept`.
    name: 'its control plane is being brought back',
    rest: true,
    holds: seen => seen.facts.controlPlane !== 'usable',
    shows: () => ({ phase: 'Running', conditions: ['Ok'] }),
    because: seen => withWords('Its control plane was usable and is being brought back', seen),
  },
  {
    name: 'works',
    rest: true,
    holds: () => true,
    shows: () => ({ phase: 'Running', conditions: ['Ok'] }),
    because: () => 'Its control plane is usable, and nothing is under way',
  },
]

/**
 * How the creation ended, if it did: what the record remembers, else what these facts mean. A controller writes the answer into
 * `facts.creationEnded`, so that it stays ended; from there only deletion leads out.
 */
export function creationEnd(seen: ClusterSight): { readonly as: CreationEnd; readonly because: string } | undefined {
  const { facts } = seen
  if (facts.creationEnded || wasEverUsable(seen)) return facts.creationEnded
  if (facts.unpaid) return { as: 'Balance', because: 'The account went past its grace time in arrears before the cluster was usable' }
  if (facts.controlPlane === 'unkept') return { as: 'CreateError', because: facts.controlPlaneSays ?? 'A component of its control plane ended at start and again at its retry' }
  if (facts.attemptStartedAt === undefined || seen.now - facts.attemptStartedAt < DEADLINES.clusterCreation) return undefined
  return { as: 'CreateError', because: withWords(`Its control plane was not usable ${spanText(DEADLINES.clusterCreation)} after its first start`, seen) }
}

/** When the verdict can change by time alone; undefined where only an event can change it. */
export function nextInstantOfCluster(seen: ClusterSight): number | undefined {
  const { facts, now } = seen
  const creating = !wasEverUsable(seen) && creationEnd(seen) === undefined
  return soonestAfter(now, [
    facts.deletion && facts.deletion.requestedAt + DEADLINES.clusterDeletion,
    creating && facts.attemptStartedAt !== undefined ? facts.attemptStartedAt + DEADLINES.clusterCreation : undefined,
    isStarting(seen) && facts.startingSince !== undefined ? facts.startingSince + DEADLINES.clusterStart : undefined,
    facts.degraded && facts.degraded.since + DWELL.clusterDegraded,
  ])
}

function downSince({ facts: { degraded }, now }: ClusterSight): string {
  const { what = '', since = now, each = {} } = degraded ?? {}, some = what.split(' and ')
  if (some.every(one => (each[one] ?? since) === since)) return `${what} ${some.length > 1 ? 'are' : 'is'} down since ${rfc3339Seconds(since)}`
  return some.map((one, index) => `${one} ${index === 0 ? 'is down ' : ''}since ${rfc3339Seconds(each[one] ?? since)}`).join(' and ')
}

function arrearsOf({ facts }: ClusterSight): readonly Evidence[] {
  return facts.unpaid && facts.arrears ? [facts.arrears] : []
}

function stuck({ stuckPools }: ClusterSight): readonly string[] {
  return stuckPools.map(({ name, because = '' }) => `Node pool ${name}: ${because}`)
}

function withWords(sentence: string, seen: ClusterSight): string {
  return seen.facts.controlPlaneSays === undefined ? sentence : `${sentence}: ${seen.facts.controlPlaneSays}`
}

function wasEverUsable(seen: ClusterSight): boolean {
  return seen.facts.firstReadyAt !== undefined || seen.facts.controlPlane === 'usable'
}

function isBeingDeleted(seen: ClusterSight): boolean {
  return seen.facts.deletion !== undefined
}

function isDeletionOverdue(seen: ClusterSight): boolean {
  return seen.facts.deletion !== undefined && seen.now - seen.facts.deletion.requestedAt >= DEADLINES.clusterDeletion
}

function isStarting(seen: ClusterSight): boolean {
  return seen.facts.startingSince !== undefined && seen.facts.controlPlane !== 'usable'
}

function isStartOverdue(seen: ClusterSight): boolean {
  return seen.facts.startingSince !== undefined && seen.now - seen.facts.startingSince >= DEADLINES.clusterStart
}
