import { ITS_COPY, THE_DATA, THE_START, type ClusterFacts } from '#model/cluster/record.ts'
import { DWELL } from '#model/status/deadlines.ts'
import type { ComponentSeen } from '#ports/control-plane-host.ts'
import type { TenantClusterProbe } from '#ports/tenant-cluster.ts'
import { BACKSTOP_MS } from './decide-creation.ts'
import type { Course } from './decide.ts'
import { exitEvidence, hostEvidence, isMissing, lastWords, lookEvidence, probeEvidence } from './evidence.ts'
import type { ClusterSeen } from './seen.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND, DAY = 24 * 60 * MINUTE
/** status-rules.md, cluster 7: five restarts in ten minutes, the first start besides. */
const STARTS_THAT_DID_NOT_HELP = 6
/** A supervisor's pauses make five restarts take at least so long; starts of outages that are over do not count against this one. */
const FIVE_RESTARTS_MS = 15 * SECOND
/** A server that runs and stays silent is down as well. */
const SILENT_FOR_MS = 10 * MINUTE
const MENDED_AFTER_MS = 2 * SECOND, MENDS_AT_LEAST_EVERY_MS = 30 * SECOND

/** A cluster that was usable once: kept up, repaired without a fuss, called unkept when restarts do not help, and healed when they do. */
export function decideUpkeep(seen: ClusterSeen): Course {
  if (seen.record.facts.unpaid) return switchOff(seen)
  return seen.probe?.ready ? works(seen, seen.probe) : down(seen)
}

function works(seen: ClusterSeen, probe: TenantClusterProbe): Course {
  const { now, record: { facts } } = seen
  // A component whose supervisor died with it is started by nobody else; one that its supervisor starts again is left to it.
  const mends = isMissing(seen.host) || seen.host.components.some(component => component.state === 'exited')
  // A host that has nothing to start refuses nothing.
  const degraded = degradedNow(facts, probe, now, mends ? facts.degraded?.why : undefined)
  const dwells = degraded && now - degraded.since < DWELL.clusterDegraded
  // A healthy one is looked at when its health watch or its host's tells of a change, so that an idle fleet writes nothing.
  const soonest = mends || !probe.baseApplied ? now + mendedAfter(degraded === undefined ? 0 : now - degraded.since, seen.tellsAll === true) : undefined
  const dwelt = dwells ? degraded.since + DWELL.clusterDegraded : undefined
  return {
    // An update of name, description or protection needs nothing of the control plane, so the pass after the call ends it.
    change: { controlPlane: 'usable', controlPlaneSays: undefined, downBy: undefined, notReadySince: undefined, startingSince: undefined, updating: undefined, degraded },
    evidence: [probeEvidence(probe, seen)],
    ...(!probe.baseApplied ? { step: 'ensureBase' as const } : mends && { step: 'ensureControlPlane' as const }),
    lookAgainAt: soonest === undefined || dwelt === undefined ? soonest ?? dwelt : Math.min(soonest, dwelt),
  }
}

/** What does not stay up is started again less often; where every end and start is told, without a bound. */
function mendedAfter(downFor: number, isTold: boolean): number {
  return Math.min(Math.max(MENDED_AFTER_MS, downFor / 8), isTold ? Infinity : MENDS_AT_LEAST_EVERY_MS)
}

/** The time of the first sight of each is kept while it is down, since the rule counts a minute from it; of several that are down, the first one began the time. */
function degradedNow(facts: ClusterFacts, probe: TenantClusterProbe, now: number, why: string | undefined): ClusterFacts['degraded'] {
  const down = [
    probe.scheduler ? [] : ['the scheduler'],
    probe.controllerManager ? [] : ['the controller manager'],
    probe.dns.wanted > 0 && probe.dns.available === 0 ? ['cluster DNS'] : [],
  ].flat()
  if (down.length === 0) return undefined
  // What was down then and is up now does not count for another thing that went down meanwhile.
  const known = facts.degraded && down.some(one => facts.degraded?.what.split(' and ').includes(one)) ? facts.degraded : undefined
  const each = Object.fromEntries(down.map(one => [one, known?.each?.[one] ?? (known?.what.split(' and ').includes(one) ? known.since : now)]))
  return { what: down.join(' and '), since: Math.min(...Object.values(each)), ...down.length > 1 && { each }, ...known && why !== undefined && { why } }
}

function down(seen: ClusterSeen): Course {
  const { now, record: { facts }, host, probe } = seen
  const notReadySince = facts.notReadySince ?? now
  const restarted = now - notReadySince < FIVE_RESTARTS_MS ? undefined
    : host.components.find(component => component.state === 'exited' && component.recentStarts >= STARTS_THAT_DID_NOT_HELP)
  const exited = host.components.find(component => component.state === 'exited')
  const silent = now - notReadySince > SILENT_FOR_MS
  // Once called unkept it stays so until it is ready: the count of restarts falls again while nothing gets better.
  const unkept = facts.controlPlane === 'unkept' || host.dataLost !== undefined || restarted !== undefined || silent
  const dead = restarted ?? exited
  const says = host.dataLost
    ?? (dead ? `The component ${dead.name} was started ${dead.recentStarts === 1 ? 'once' : `${dead.recentStarts} times`} in ten minutes: ${lastWords(dead)}` : undefined)
    ?? (probe ? 'Its API server runs and is not ready' : 'Its API server is not running')
  const evidence = [
    ...host.components.filter(component => component.lastExit && component.state !== 'running').map(component => exitEvidence(component, now)),
    ...(host.dataLost !== undefined ? [hostEvidence(host.dataLost, now)] : []),
    ...(probe ? [probeEvidence(probe, seen)] : []),
  ]
  const words = staysSaid(seen, unkept, dead) ? {} : { controlPlaneSays: says, downBy: lostBy(host) ?? dead?.name }
  // What is called unkept only now was shown as something else until now, maybe for years.
  const unkeptFor = facts.controlPlane === 'unkept' ? now - seen.shownSince : 0
  // Lost data is not replaced by an empty datastore: that would call a cluster healed whose contents are gone.
  const mends = host.dataLost === undefined && (isMissing(host) || exited !== undefined)
  return {
    change: {
      controlPlane: unkept ? 'unkept' : 'starting', ...words, notReadySince, degraded: undefined, updating: undefined,
    },
    evidence: evidence.length > 0 ? evidence : [lookEvidence(host, now)],
    ...(mends && { step: 'ensureControlPlane' as const }),
    lookAgainAt: now + (seen.tellsAll ? toldBackOff(unkeptFor, unkept ? Infinity : notReadySince + SILENT_FOR_MS + 1 - now) : unkept ? backOff(unkeptFor) : now - notReadySince < MINUTE ? 250 : 2 * SECOND),
  }
}

/**
 * What was said of it is said on while nothing else is known: counts fall, and a component that ended runs again for a moment. Once it is called unkept, which it may be for years, a component is named only for as long as it is down itself
 * or has not run for ten minutes yet, and by its last words, and none before it that it needs; so is what its host answered to a start, for as long as that is so of anything it was to start. Lost data is said whatever else is down.
 */
function staysSaid({ now, host, record: { facts: { controlPlane, controlPlaneSays, downBy } } }: ClusterSeen, unkept: boolean, dead: ComponentSeen | undefined): boolean {
  if (controlPlaneSays === undefined || host.dataLost !== undefined) return false
  if (!unkept) return true
  if (controlPlane !== 'unkept') return false
  const runsForLong = ({ state, startedAt }: ComponentSeen) => state === 'running' && startedAt !== undefined && now - startedAt > SILENT_FOR_MS
  if (downBy === THE_START) return !host.components.every(runsForLong)
  if (dead === undefined) return host.components.some(component => component.name === downBy && !runsForLong(component))
  const named = host.components.findIndex(({ name, state, recentStarts }) => name === downBy && (state !== 'running' || recentStarts >= STARTS_THAT_DID_NOT_HELP))
  const ofDead = host.components.findIndex(({ name }) => name === dead.name)
  return named >= 0 && (named < ofDead || (named === ofDead && controlPlaneSays.endsWith(lastWords(dead))))
}

/** Arrears: the control plane is switched off and its data kept; somebody's payment starts it again. */
function switchOff({ now, host, record: { facts } }: ClusterSeen): Course {
  const runs = host.components.some(component => component.state === 'running')
  if (runs) return { change: { degraded: undefined }, step: 'ensureControlPlaneStopped', lookAgainAt: now }
  return {
    change: { controlPlane: 'absent', controlPlaneSays: host.dataLost, downBy: lostBy(host), degraded: undefined, updating: undefined, notReadySince: undefined, startingSince: undefined },
    ...(facts.controlPlane !== 'absent' && { evidence: [hostEvidence('No process of the control plane runs any more.', now)] }),
  }
}

function lostBy({ dataLost, takesCopy }: ClusterSeen['host']): string | undefined {
  return dataLost === undefined ? undefined : takesCopy ? ITS_COPY : THE_DATA
}

/** Without a bound: a failure of years is looked at when something is told. */
function toldBackOff(shownFor: number, mostMs: number): number {
  return Math.min(Math.max(shownFor / 2, BACKSTOP_MS), mostMs)
}

/** Grows with the time that a failure has been shown, up to a day. */
function backOff(shownFor: number): number {
  return Math.min(Math.max(shownFor / 2, 2 * SECOND), DAY)
}
