import { CHILDREN_FAIL_UNDER } from '../cluster/rules.ts'
import { DEADLINES, soonestAfter } from '../status/deadlines.ts'
import type { Rule } from '../status/rules.ts'
import { rfc3339Seconds, spanText } from '../time.ts'
import type { NodePoolSight } from './sight.ts'
import type { NodePoolStatus } from './status.ts'

/** The node-pool table of status-rules.md, line by line. */
export const NODE_POOL_RULES: readonly Rule<NodePoolSight, NodePoolStatus>[] = [
  {
    name: 'being deleted',
    holds: seen => isBeingDeleted(seen) && seen.facts.obstacles.length === 0 && !isDeletionOverdue(seen),
    shows: () => ({ phase: 'Deleting', conditions: ['Progressing'] }),
    because: seen => `${seen.facts.deletion?.by === 'cluster' ? 'The deletion of its cluster' : 'Its deletion'} was asked for at ${rfc3339Seconds(seen.facts.deletion?.requestedAt ?? seen.now)}${remaining(seen)}`,
  },
  {
    name: 'could not be removed',
    holds: isBeingDeleted,
    shows: () => ({ phase: 'Failed', conditions: ['ResourceCleanupFailed'] }),
    because: seen => seen.facts.obstacles.join('; ') || `It was not gone ${spanText(DEADLINES.nodePoolDeletion)} after the deletion was asked for${remaining(seen)}`,
  },
  {
    name: 'creation ended',
    holds: seen => seen.facts.creationEnded !== undefined,
    shows: () => ({ phase: 'Failed', conditions: ['Unknown'] }),
    because: seen => seen.facts.creationEnded?.because ?? '',
  },
  {
    name: 'its cluster is not running',
    derived: true,
    holds: ({ clusterRule = '' }) => clusterRule in CHILDREN_FAIL_UNDER,
    shows: () => ({ phase: 'Failed', conditions: ['ClusterNotRunning'] }),
    because: ({ clusterRule = '' }) => CHILDREN_FAIL_UNDER[clusterRule] ?? '',
  },
  {
    name: 'does not admit members yet',
    rest: true,
    holds: seen => !seen.facts.ready,
    shows: () => ({ phase: 'Creating', conditions: ['Progressing'] }),
    because: () => 'The cluster does not admit members of it yet',
  },
  {
    name: 'nodes come or go',
    derived: true,
    holds: seen => seen.counts.creating + seen.counts.deleting + seen.facts.openClaims > 0,
    shows: () => ({ phase: 'Scaling', conditions: ['Progressing'] }),
    because: movement,
  },
  {
    name: 'its configuration is on the way to its nodes',
    holds: seen => seen.facts.updating !== undefined,
    shows: () => ({ phase: 'Updating', conditions: ['Progressing'] }),
    because: seen => `${configurationWaits(seen)}${seen.facts.updating?.off.length ? `; ${seen.facts.updating.off.join(', ')} get them when they are back` : ''}`,
  },
  {
    name: 'wanted machines were refused',
    holds: seen => seen.facts.refused !== undefined,
    shows: seen => ({ phase: 'Running', conditions: [seen.facts.refused?.as ?? 'ScalingFailed'] }),
    because: seen => `${seen.facts.refused?.because ?? ''}${awaited(seen)}${leftovers(seen)}`,
    evidence: seen => seen.facts.refused?.evidence ?? [],
  },
  {
    name: 'works, though not all its nodes have its configuration',
    rest: true,
    holds: seen => seen.facts.without !== undefined,
    shows: () => ({ phase: 'Running', conditions: ['Ok'] }),
    because: seen => `It admits members; its labels and taints are not on ${someOf(seen.facts.without ?? [])}: such a node gets them when it can be reached and takes them${awaited(seen)}${leftovers(seen)}`,
  },
  {
    name: 'works',
    rest: true,
    holds: () => true,
    shows: () => ({ phase: 'Running', conditions: ['Ok'] }),
    because: seen => `${seen.counts.total === 0 ? 'It admits members; it has no nodes' : 'It admits members, and none of its nodes comes or goes'}${autoscaled(seen)}${awaited(seen)}${leftovers(seen)}`,
  },
]

/** When the verdict can change by time alone. */
export function nextInstantOfNodePool(seen: NodePoolSight): number | undefined {
  return soonestAfter(seen.now, [seen.facts.deletion && seen.facts.deletion.requestedAt + DEADLINES.nodePoolDeletion])
}

function movement(seen: NodePoolSight): string {
  const parts = [
    { amount: seen.counts.creating, one: 'node of it is being created', many: 'nodes of it are being created' },
    { amount: seen.counts.deleting, one: 'node of it is being removed', many: 'nodes of it are being removed' },
    { amount: seen.facts.openClaims, one: 'machine is asked for', many: 'machines are asked for' },
  ]
  return `${parts.filter(part => part.amount > 0).map(part => `${part.amount} ${part.amount === 1 ? part.one : part.many}`).join(', ')}${autoscaled(seen)}${awaited(seen)}`
}

/** The autoscaler's own target and why, where it is another than callers want, and what it makes no nodes for. */
function autoscaled(seen: NodePoolSight): string {
  const { autoscaler, untaken } = seen.facts
  return `${autoscaler === undefined ? '' : `; its autoscaler wants ${autoscaler.target} of them: ${autoscaler.because}`}${untaken === undefined ? '' : `; ${untaken}`}`
}

/** Why it has not what it wants, though it could have it some day without anybody's leave, or with its callers'. */
function awaited({ facts: { awaits, kept } }: NodePoolSight): string {
  return `${awaitedStop(awaits)}${keptText(kept)}`
}

function keptText(kept: NodePoolSight['facts']['kept']): string {
  if (kept === undefined) return ''
  const [are, carry, keep, they, their] = kept.nodes.length === 1 ? ['is', 'carries', 'keeps', 'it stays', 'its'] : ['are', 'carry', 'keep', 'they stay', 'their']
  return `; pods wait, and ${someOf(kept.nodes)} ${are} cordoned, ${carry} nothing and ${keep} the place of a machine that would take them: ${they} because ${'least' in kept ? `no fewer than ${kept.least} may run` : `no machine comes in ${their} place: ${kept.noneComes}`}`
}

function awaitedStop(awaits: NodePoolSight['facts']['awaits']): string {
  return awaits === undefined ? '' : `; it waits for ${awaits.node}, which was ordered off before it was wanted again: that one is started once it is off, and stays as it is if it is still on at ${rfc3339Seconds(awaits.until)}`
}

/** Nothing that is wanted: it fails at nothing, and says what it holds all the same. */
function leftovers(seen: NodePoolSight): string {
  return (seen.facts.leftovers ?? []).map(({ because }) => `; ${because}`).join('')
}

function configurationWaits(seen: NodePoolSight): string {
  const waitsFor = seen.facts.updating?.waitsFor ?? []
  const since = rfc3339Seconds(seen.facts.updating?.since ?? seen.now)
  return waitsFor.length === 0 ? `Its configuration was changed at ${since}` : `Its configuration was changed at ${since}, and its labels and taints are not yet on ${waitsFor.join(', ')}`
}

const NAMED_AT_MOST = 10

function someOf(names: readonly string[]): string {
  const more = names.length - NAMED_AT_MOST
  return more <= 0 ? names.join(', ') : `${names.slice(0, NAMED_AT_MOST).join(', ')} and ${more} more`
}

function remaining(seen: NodePoolSight): string {
  if (seen.counts.total === 0) return ''
  return seen.counts.total === 1 ? '; 1 node is still there' : `; ${seen.counts.total} nodes are still there`
}

function isBeingDeleted(seen: NodePoolSight): boolean {
  return seen.facts.deletion !== undefined
}

function isDeletionOverdue(seen: NodePoolSight): boolean {
  return seen.facts.deletion !== undefined && seen.now - seen.facts.deletion.requestedAt >= DEADLINES.nodePoolDeletion
}
