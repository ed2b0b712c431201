import { CHILDREN_FAIL_UNDER } from '../cluster/rules.ts'
import { DEADLINES, DWELL, soonestAfter } from '../status/deadlines.ts'
import type { Rule } from '../status/rules.ts'
import { rfc3339Seconds, spanText } from '../time.ts'
import type { AddonReason, HeldReason } from './record.ts'
import type { AddonSight } from './sight.ts'
import type { AddonStatus } from './status.ts'

/** status-rules.md, add-on 7: an error that fits nothing else is tried so often. */
export const INSTALLER_TRIES = 3

/** In table order. */
const REASONS: readonly AddonReason[] = ['CrashLoopBackOff', 'ImagePullBackOff', 'SchedulingFailed']

/** The add-on table of status-rules.md, line by line. */
export const ADDON_RULES: readonly Rule<AddonSight, AddonStatus>[] = [
  {
    name: 'being uninstalled',
    holds: seen => isBeingDeleted(seen) && seen.facts.obstacles.length === 0 && !isDeletionOverdue(seen),
    shows: () => ({ phase: 'Deleting', conditions: ['Progressing'] }),
    because: seen => `${seen.facts.deletion?.by === 'cluster' ? 'The deletion of its cluster' : 'Its removal'} was asked for at ${at(seen.facts.deletion?.requestedAt)}${seen.facts.left ? ` and has not ended${left(seen)}` : ''}${waits(seen)}`,
  },
  {
    name: 'could not be uninstalled',
    holds: isBeingDeleted,
    shows: () => ({ phase: 'Failed', conditions: ['ResourceCleanupFailed'] }),
    because: seen => `${seen.facts.obstacles.join('; ') || `It was not gone ${spanText(DEADLINES.addonDeletion)} after its removal was asked for${left(seen)}`}${waits(seen)}`,
  },
  {
    name: 'its cluster is not running',
    derived: true,
    holds: ({ clusterRule = '' }) => clusterRule in CHILDREN_FAIL_UNDER,
    shows: () => ({ phase: 'Failed', conditions: ['ClusterNotRunning'] }),
    because: ({ clusterRule = '' }) => CHILDREN_FAIL_UNDER[clusterRule] ?? '',
  },
  {
    name: 'its name is taken in the cluster',
    holds: seen => seen.facts.conflict !== undefined,
    shows: () => ({ phase: 'Failed', conditions: ['NameConflict'] }),
    because: seen => seen.facts.conflict?.text ?? '',
  },
  {
    name: 'no pod of a workload is available',
    holds: seen => shownReasons(seen).length > 0,
    shows: seen => ({ phase: 'Failed', conditions: shownReasons(seen) as [AddonReason, ...AddonReason[]] }),
    because: seen => capital(shownReasons(seen).map(reason => reasonText(reason, seen.facts.reasons[reason])).join('; ')),
  },
  {
    name: 'works with fewer pods than asked for',
    holds: seen => seen.facts.degraded !== undefined,
    shows: () => ({ phase: 'Failed', conditions: ['Degraded'] }),
    because: seen => capital(seen.facts.degraded?.text ?? ''),
  },
  {
    name: 'its installer fails',
    holds: seen => (seen.facts.installer?.failures ?? 0) >= INSTALLER_TRIES,
    shows: () => ({ phase: 'Failed', conditions: ['Unknown'] }),
    because: seen => `Its installer failed ${seen.facts.installer?.failures ?? 0} times, last at ${at(seen.facts.installer?.at)}: ${seen.facts.installer?.text ?? ''}`,
  },
  {
    name: 'no pod is available and nobody says why',
    holds: seen => seen.facts.operation === undefined && seen.facts.unavailable !== undefined && (seen.facts.staleSince ?? seen.now) - seen.facts.unavailable.since >= DWELL.addonUnavailable,
    shows: () => ({ phase: 'Failed', conditions: ['Unknown'] }),
    because: seen => `${capital(seen.facts.unavailable?.text ?? '')}, since ${at(seen.facts.unavailable?.since)}`,
  },
  {
    name: 'being installed',
    rest: true,
    holds: seen => seen.facts.operation?.action === 'CreateAddon',
    shows: () => ({ phase: 'Creating', conditions: ['Progressing'] }),
    because: seen => seen.facts.waitsFor ?? `Its installation was asked for at ${at(seen.facts.operation?.since)}, and not all its workloads are available yet${lastError(seen)}`,
  },
  {
    name: 'being changed',
    rest: true,
    holds: seen => seen.facts.operation !== undefined,
    shows: () => ({ phase: 'Updating', conditions: ['Progressing'] }),
    because: seen => seen.facts.waitsFor ?? `${seen.facts.operation?.action ?? ''} is under way since ${at(seen.facts.operation?.since)}, and not all its workloads are available in the new form yet${lastError(seen)}`,
  },
  {
    name: 'works',
    rest: true,
    holds: () => true,
    shows: () => ({ phase: 'Running', conditions: ['Ok'] }),
    because: ({ facts: { unavailable, applied, staleSince } }) => unavailable
      ? `${capital(unavailable.text)}, since ${at(unavailable.since)}; ${staleSince === undefined ? `it is shown as failed at ${at(unavailable.since + DWELL.addonUnavailable)} if that is still so` : `whether that is still so nobody sees since ${at(staleSince)}`}`
      : `All its workloads are available in version ${applied?.version ?? ''}`,
  },
]

/** While it is being installed, a reason shows only once it was seen for a moment: images are pulled and nodes join in the meantime. */
function shownReasons({ now, facts }: AddonSight): readonly AddonReason[] {
  const waits = facts.operation?.action === 'CreateAddon' ? DWELL.addonReasonWhileCreating : 0
  return REASONS.filter(reason => {
    const held = facts.reasons[reason]
    return held !== undefined && now - held.since >= waits
  })
}

function reasonText(reason: AddonReason, { text, runsSince }: Partial<HeldReason> = {}): string {
  if (runsSince === undefined) return text ?? ''
  return `its containers run since ${at(runsSince)}, and ${reason} is over once they have run for ${spanText(DWELL.addonCrashLoopGone)}, at ${at(runsSince + DWELL.addonCrashLoopGone)}; what was told last: ${text}`
}

/** Both have the same time, and the cluster's own look has words for what is left: it comes first. */
const AFTER_ITS_CLUSTER_MS = 1

/** When the verdict can change by time alone. */
export function nextInstantOfAddon({ now, facts }: AddonSight): number | undefined {
  return soonestAfter(now, [
    facts.deletion && facts.deletion.requestedAt + DEADLINES.addonDeletion + (facts.deletion.by === 'cluster' ? AFTER_ITS_CLUSTER_MS : 0),
    ...facts.operation?.action === 'CreateAddon' ? REASONS.map(reason => facts.reasons[reason] && facts.reasons[reason].since + DWELL.addonReasonWhileCreating) : [],
    facts.unavailable && facts.unavailable.since + DWELL.addonUnavailable,
  ])
}

function isBeingDeleted(seen: AddonSight): boolean {
  return seen.facts.deletion !== undefined
}

function isDeletionOverdue({ now, facts }: AddonSight): boolean {
  return facts.deletion !== undefined && now - facts.deletion.requestedAt >= DEADLINES.addonDeletion
}

function left({ facts }: AddonSight): string {
  return facts.left ? `: ${facts.left.text}` : ''
}

/** A removal that waits for its cluster: the call that is not made meanwhile. */
function waits({ facts: { waitsFor } }: AddonSight): string {
  return waitsFor === undefined ? '' : `; ensureGone of the add-on waits: ${waitsFor.charAt(0).toLowerCase()}${waitsFor.slice(1)}`
}

function lastError({ facts }: AddonSight): string {
  return facts.installer ? `; the installer failed at ${at(facts.installer.at)} and is asked again: ${facts.installer.text}` : ''
}

function at(instant: number | undefined): string {
  return instant === undefined ? 'an unknown time' : rfc3339Seconds(instant)
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
