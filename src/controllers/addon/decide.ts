import { besidesResting, healthOf, silentAnew } from '#model/addon/health.ts'
import { API_SILENT, CLUSTER_NOT_RUNNING, CLUSTER_NOT_USABLE_YET, type AddonFacts } from '#model/addon/record.ts'
import { soonestAfter } from '#model/status/deadlines.ts'
import { withFacts, type FactsChange } from '#model/with-facts.ts'
import type { AddonPassSeen } from './seen.ts'

const SECOND = 1_000, HOUR = 3_600 * SECOND
/** The first pause before something that failed is tried again; it grows with every failure. */
const TRY_AGAIN_MS = 5 * SECOND
/** So often it has failed when the pause has come to an hour; from then on it grows by an eighth each time, for a hundred years. */
const FAILURES_OF_AN_HOUR = 11, LONGER_BY = 9 / 8, MOST_LONGER = 100

export type AddonStep = 'install' | 'uninstall' | 'forget'

/** What one look leads to; the status itself follows from the facts by the model's rules. */
export interface AddonDecision {
  readonly facts: AddonFacts
  readonly step: AddonStep | undefined
  readonly lookAgainAt: number | undefined
}

export function decideAddon(passed: AddonPassSeen): AddonDecision {
  const { now, record, record: { facts }, cluster } = passed
  if (!cluster) return decision(facts, {}, 'forget')
  // It goes with its cluster, whose deletion takes everything in it: with the control plane, whatever else is waited for.
  if (cluster.facts.deletion?.controlPlaneGone) return decision(facts, {}, 'forget')
  if (cluster.facts.deletion) return decision(facts, { waitsFor: undefined, staleSince: undefined })
  const waits = whyNotNow(cluster)
  if (facts.deletion) return decideRemoval(passed, waits)
  if (waits !== undefined) return decision(facts, { ...facts.operation && { waitsFor: waits }, ...wasTold(facts) && cluster.facts.firstReadyAt !== undefined && { staleSince: facts.staleSince ?? now } })
  const seen = { ...passed, record: { ...record, facts: silentAnew(facts, now) } }
  if (!isApplied(seen)) return decideInstallation(seen)

  const { looked, resting } = seen
  if (!looked) return decideMissing(seen)
  const health = healthOf({ ...looked, workloads: besidesResting(looked.workloads, new Set(resting.map(({ name }) => name))) }, seen.record.facts, now)
  return decision(facts, {
    waitsFor: undefined, conflict: undefined, installer: undefined, missing: undefined, staleSince: undefined,
    reasons: health.reasons, degraded: health.degraded, unavailable: health.unavailable,
    ...(health.whole && { operation: undefined }),
  }, undefined, soonestAfter(now, [health.changesAt, ...resting.map(({ until }) => until), seen.lookEveryMs === undefined ? undefined : now + seen.lookEveryMs]))
}

/** Nothing can be installed or removed where no API answers; children follow their cluster into a stop by the rules. */
function whyNotNow({ facts }: NonNullable<AddonPassSeen['cluster']>): string | undefined {
  if (facts.creationEnded) return 'The creation of its cluster has failed'
  if (facts.firstReadyAt === undefined) return CLUSTER_NOT_USABLE_YET
  if (facts.unpaid || facts.startingSince !== undefined) return CLUSTER_NOT_RUNNING
  return facts.controlPlane === 'usable' ? undefined : API_SILENT
}

/** Its workloads were looked at, or an installer said what stood in its way. */
function wasTold({ applied, conflict, installer }: AddonFacts): boolean {
  return applied !== undefined || conflict !== undefined || installer !== undefined
}

function isApplied({ record: { facts, spec } }: AddonPassSeen): boolean {
  return facts.applied !== undefined && facts.applied.version === spec.version && facts.applied.config === spec.config
}

function decideInstallation(seen: AddonPassSeen): AddonDecision {
  const { now, record: { facts } } = seen, change = { waitsFor: undefined, staleSince: undefined }
  const { mayBe } = againAt(facts, seen)
  return mayBe > now ? decision(facts, change, undefined, mayBe) : decision(facts, change, 'install', now)
}

/** Nothing of it is there: somebody took it away, and it is applied again at once. Where it is not there after that either, it is so ever more seldom. */
function decideMissing(seen: AddonPassSeen): AddonDecision {
  const { now, record: { facts } } = seen, missing = facts.missing ?? 0
  const { mayBe, byItself } = missing === 0 ? { mayBe: now, byItself: now } : after(facts.applied?.at ?? 0, pausesAfter(missing), seen.toldAt)
  if (mayBe > now) return decision(facts, {}, undefined, seen.lookEveryMs === undefined ? byItself : mayBe)
  return decision(facts, { applied: undefined, missing: missing + 1, unavailable: { since: facts.unavailable?.since ?? now, text: 'nothing of it is there' } }, 'install', now)
}

/** When what was just tried in vain is tried by itself. Whoever is woken before that may have been told of its end, and tries as soon as it may. */
export function restsUntil(facts: AddonFacts, { lookEveryMs, ...told }: Told & Pick<AddonPassSeen, 'lookEveryMs'>): number {
  const { mayBe, byItself } = facts.deletion ? removedAgainAt(facts, told) : againAt(facts, told)
  return lookEveryMs === undefined ? byItself : mayBe
}

type Told = Pick<AddonPassSeen, 'now' | 'toldAt'>
interface Again { /** Whoever is woken from then on tries. */ readonly mayBe: number; /** Nobody looks before where the region tells of what changes. */ readonly byItself: number }

/** A name that is taken is tried again ever more seldom; so is an installer that fails. */
function againAt({ conflict, installer }: AddonFacts, { now, toldAt }: Told): Again {
  if (conflict) return after(conflict.triedAt, { first: TRY_AGAIN_MS, pause: Math.max((conflict.triedAt - conflict.at) / 2, TRY_AGAIN_MS), longest: HOUR }, toldAt)
  if (!installer) return { mayBe: now, byItself: now }
  return after(installer.at, pausesAfter(installer.failures), toldAt)
}

function pausesAfter(failures: number): Pauses {
  const doubled = TRY_AGAIN_MS * 2 ** (failures - 1)
  return { first: TRY_AGAIN_MS, pause: doubled <= HOUR ? doubled : HOUR * LONGER_BY ** Math.min(failures - FAILURES_OF_AN_HOUR, MOST_LONGER), longest: HOUR }
}

interface Pauses { readonly first: number; readonly pause: number; readonly longest: number }

/** What was tried before the region told of something is tried again after the first pause: that may have been its end, whoever was woken by what and when. */
function after(last: number, { first, pause, longest }: Pauses, toldAt = -Infinity): Again {
  if (last <= toldAt) return { mayBe: last + first, byItself: last + first }
  return { mayBe: last + Math.min(pause, longest), byItself: last + pause }
}

/** Given up until somebody asks again; it is still tried now and then, so that what cleared by itself shows. */
function removedAgainAt({ obstacles, left, deletion }: AddonFacts, { now, toldAt }: Told): Again {
  if (obstacles.length === 0 || !left) return { mayBe: now, byItself: now }
  return after(left.at, { first: 10 * SECOND, pause: Math.max((left.at - (deletion?.requestedAt ?? left.at)) / 2, 10 * SECOND), longest: HOUR }, toldAt)
}

/** Who makes the cluster one that can be worked in wakes what waits for it, so a removal goes on then, however late it is. */
function decideRemoval(seen: AddonPassSeen, waits: string | undefined): AddonDecision {
  const { now, record: { facts } } = seen
  const change = { waitsFor: waits, staleSince: undefined }
  if (waits !== undefined) return decision(facts, change)
  const { mayBe } = removedAgainAt(facts, seen)
  if (mayBe > now) return decision(facts, change, undefined, mayBe)
  return decision(facts, change, 'uninstall', undefined)
}

function decision(facts: AddonFacts, change: FactsChange<AddonFacts>, step?: AddonStep, lookAgainAt?: number): AddonDecision {
  return { facts: withFacts(facts, change), step, lookAgainAt }
}
