import type { CreationEnd } from '#model/cluster/record.ts'
import { OUTSIDE_NAMES } from '#model/cluster/outside.ts'
import type { Evidence } from '#model/evidence.ts'
import { creationEnd } from '#model/cluster/rules.ts'
import type { ComponentSeen } from '#ports/control-plane-host.ts'
import type { TenantClusterProbe } from '#ports/tenant-cluster.ts'
import type { Course } from './decide.ts'
import { componentsEvidence, exitEvidence, hostEvidence, isGone, isMissing, lastWords, lookEvidence, probeEvidence } from './evidence.ts'
import type { ClusterSeen } from './seen.ts'

const SECOND = 1_000
/** How often a cluster is looked at whose region tells every change. */
export const BACKSTOP_MS = 30 * SECOND
/** A component that is killed from outside starts again; these ends are no failure of its own. */
const KILLED_FROM_OUTSIDE = new Set(['SIGKILL', 'SIGTERM'])
/** Scheduler and controller-manager may end while the API server is still coming up; more starts than this with a ready API are their own fault. */
const STARTS_BESIDE_A_READY_API = 4

/** From nothing to usable: address, keys and ledger; components; control plane; base; then the first Ready. */
export function decideCreation(seen: ClusterSeen): Course {
  const { now, record: { facts, address }, components, host, probe } = seen
  const end = creationEnd({ now, facts, movingPools: [], stuckPools: [] })
  if (end) return { ...ended(end.as, end.because), evidence: whatIsSeen(seen) }
  if (address === undefined) return { change: {}, step: 'prepare', lookAgainAt: now }

  if (facts.attemptStartedAt === undefined) {
    if (components.state === 'gaveUp') return { ...ended('CreateError', components.says), evidence: [componentsEvidence(components.says, now)] }
    if (components.state === 'waiting') return { change: { waitsFor: components.says }, evidence: [componentsEvidence(components.says, now)], lookAgainAt: now + SECOND / 2 }
    return {
      change: { attemptStartedAt: now, waitsFor: undefined, controlPlane: 'starting' }, evidence: [lookEvidence(host, now)], step: 'ensureControlPlane', lookAgainAt: now,
    }
  }

  if (host.dataLost !== undefined) return { ...ended('CreateError', host.dataLost), evidence: [hostEvidence(host.dataLost, now)] }
  const dead = host.components.find(component => diedTwice(component, probe))
  if (dead) return { ...ended('CreateError', `The component ${dead.name} ended at its start and again at its retry: ${lastWords(dead)}`), evidence: [exitEvidence(dead, now)] }

  const lacks = lacking(seen)
  const again = now + (seen.tellsAll ? BACKSTOP_MS : pollAfter(now - facts.attemptStartedAt, probe?.ready === true))
  // Where a crash came before anything was begun, its control plane comes first as ever, so that what is refused outside finds the same things made.
  if (isGone(host)) return { change: { controlPlane: 'starting' }, evidence: [lookEvidence(host, now)], step: 'ensureControlPlane', lookAgainAt: again }
  if (seen.outside.some(one => one.seen === undefined)) return { change: probe?.ready ? { controlPlaneSays: lacks } : {}, evidence: probe?.ready ? whatIsSeen(seen) : [], step: 'ensureOutside', lookAgainAt: now }
  if (probe?.ready && !probe.baseApplied && !isMissing(host)) return { change: {}, step: 'ensureBase', lookAgainAt: now }
  // An API server works before it is ready, and mostly waits for its disk meanwhile: what is done then is not waited for later.
  if (probe?.answers && !probe.baseApplied) return { change: { controlPlane: 'starting', controlPlaneSays: lacks }, evidence: whatIsSeen(seen), step: 'beginBase', lookAgainAt: again }
  // The host goes on by itself with what it has begun, and tells of each component that starts.
  if (isMissing(host)) return { change: { controlPlane: 'starting' }, evidence: [lookEvidence(host, now)], step: 'ensureControlPlane', lookAgainAt: again }
  if (probe && lacks === undefined) {
    return {
      change: { firstReadyAt: now, controlPlane: 'usable', controlPlaneSays: undefined },
      evidence: [probeEvidence(probe, seen)],
      lookAgainAt: now + seen.probeEveryMs,
    }
  }
  return {
    change: { controlPlaneSays: lacks },
    evidence: whatIsSeen(seen),
    // One whose supervisor died with it is started by nobody else; one that its supervisor starts again is left to it.
    ...(host.components.some(component => component.state === 'exited') ? { step: 'ensureControlPlane' as const } : probe?.ready && !probe.defaultServiceAccount && { step: 'awaitServiceAccount' as const }),
    lookAgainAt: again,
  }
}

function ended(as: CreationEnd, because: string): Course {
  return { change: { creationEnded: { as, because }, waitsFor: undefined } }
}

/** It died by itself at its start and at the retry; with a reason of its own, so another 13 minutes of retries would only hide it. */
function diedTwice(component: ComponentSeen, probe: TenantClusterProbe | undefined): boolean {
  const { lastExit, recentStarts, state, name } = component
  if (!lastExit || KILLED_FROM_OUTSIDE.has(lastExit.signal ?? '')) return false
  const deaths = state === 'exited' ? recentStarts : recentStarts - 1
  if (name === 'etcd' || name === 'kube-apiserver') return deaths >= 2
  return probe?.ready === true && recentStarts >= STARTS_BESIDE_A_READY_API && deaths >= 2
}

/** What the cluster lacks to be usable, as a sentence; undefined when it lacks nothing. */
function lacking({ host, probe, outside }: ClusterSeen): string | undefined {
  const exited = host.components.find(component => component.state === 'exited')
  if (exited) return `The component ${exited.name} ended and is started again: ${lastWords(exited)}`
  if (!probe) return 'Its API server is not running yet'
  if (!probe.ready) return 'Its API server is not ready yet'
  const missing = [
    probe.scheduler ? [] : ['the scheduler'],
    probe.controllerManager ? [] : ['the controller manager'],
    probe.baseApplied ? [] : ['network and DNS'],
    probe.defaultServiceAccount ? [] : ['the default ServiceAccount'],
    outside.filter(one => one.seen?.state !== 'ready').map(one => `its ${OUTSIDE_NAMES[one.kind]}`),
  ].flat()
  return missing.length === 0 ? undefined : `Its API server is ready; ${missing.join(', ')} not yet`
}

/** What stands behind a sentence about a control plane that is not usable: its answer, the ends of its components, or at least what is there. */
function whatIsSeen(seen: ClusterSeen): readonly Evidence[] {
  const { host, probe, now } = seen
  const exits = host.components.filter(component => component.lastExit).map(component => exitEvidence(component, now))
  return [...exits, ...probe ? [probeEvidence(probe, seen)] : exits.length === 0 ? [lookEvidence(host, now)] : []]
}

/**
 * Until its API is ready the host tells of what happens (it starts the last components at that moment), and every look would take processor time from what is
 * starting; from then on polling is the only way to know the rest, so that a cluster is Running within milliseconds of being usable.
 */
function pollAfter(elapsed: number, isReady: boolean): number {
  if (elapsed >= 60 * SECOND) return SECOND
  if (!isReady) return 500
  return elapsed < 10 * SECOND ? 60 : 250
}
