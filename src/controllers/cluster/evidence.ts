import type { Evidence } from '#model/evidence.ts'
import type { ComponentSeen, ControlPlaneSeen } from '#ports/control-plane-host.ts'
import type { TenantClusterProbe } from '#ports/tenant-cluster.ts'
import type { ClusterSeen } from './seen.ts'

const OBSERVER = 'cluster controller'

/** A component's own last words, or how it ended if it said nothing. */
export function lastWords({ lastExit }: ComponentSeen): string {
  if (!lastExit) return 'it said nothing'
  return lastExit.lastLines.findLast(line => line.trim() !== '')?.trim() ?? howItEnded(lastExit)
}

export function exitEvidence(component: ComponentSeen, now: number): Evidence {
  const { name, lastExit } = component
  return {
    observer: OBSERVER,
    source: `${name} exit`,
    observedAt: lastExit?.at ?? now,
    fact: lastExit ? `${name} ended ${howItEnded(lastExit)}; ${component.recentStarts} starts in ten minutes.` : `${name} does not run.`,
    ...(lastExit && { raw: lastExit.lastLines.join('\n') }),
  }
}

export function probeEvidence(probe: TenantClusterProbe, { now, record }: Pick<ClusterSeen, 'now' | 'record'>): Evidence {
  return {
    observer: OBSERVER,
    source: `/readyz of ${record.address ?? 'its API server'}`,
    observedAt: now,
    fact: probe.ready ? 'The API server is ready.' : `The API server is not ready: ${probe.says}.`,
    raw: JSON.stringify(probe),
  }
}

export function hostEvidence(fact: string, now: number): Evidence {
  return { observer: OBSERVER, source: 'control-plane host', observedAt: now, fact }
}

/** Something of the control plane was never started or is gone: network, or a component without even an end to show. */
export function isMissing(host: ControlPlaneSeen): boolean {
  return !host.network || host.components.some(component => component.state === 'absent')
}

/** Nothing of it is there any more. */
export function isGone(host: ControlPlaneSeen): boolean {
  return !host.network && host.components.every(component => component.state === 'absent')
}

function howItEnded(lastExit: NonNullable<ComponentSeen['lastExit']>): string {
  return lastExit.signal !== undefined ? `by ${lastExit.signal}` : `with exit code ${lastExit.code ?? 'unknown'}`
}
