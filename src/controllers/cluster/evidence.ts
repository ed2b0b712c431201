import type { Evidence } from '#model/evidence.ts'
import { logLineText } from '#model/log-line.ts'
import type { ComponentSeen, ControlPlaneSeen } from '#ports/control-plane-host.ts'
import type { TenantClusterProbe } from '#ports/tenant-cluster.ts'
import type { ClusterSeen } from './seen.ts'

const OBSERVER = 'cluster controller'

/** A component's own last words, or how it ended if it said nothing. */
export function lastWords({ lastExit }: ComponentSeen): string {
  if (!lastExit) return 'it said nothing'
  const line = lastExit.lastLines.findLast(each => each.trim() !== '')
  return line === undefined ? howItEnded(lastExit) : logLineText(line)
}

export function exitEvidence(component: ComponentSeen, now: number): Evidence {
  const { name, lastExit } = component
  return {
    observer: OBSERVER,
    source: `${name} exit`,
    observedAt: lastExit?.at ?? now,
    fact: lastExit ? `${name} ended ${howItEnded(lastExit)}; ${component.recentStarts === 1 ? 'one start' : `${component.recentStarts} starts`} in ten minutes.` : `${name} does not run.`,
    ...(lastExit && { raw: lastExit.lastLines.join('\n') }),
  }
}

export function probeEvidence(probe: TenantClusterProbe, { now, record }: Pick<ClusterSeen, 'now' | 'record'>): Evidence {
  return {
    observer: OBSERVER,
    source: `/readyz of ${record.address ?? 'its API server'}`,
    observedAt: now,
    fact: probe.ready ? `The API server is ready${whatIsDown(probe)}.` : `The API server is not ready: ${probe.says.replace(/^The API server is not ready: /, '')}.`,
    raw: JSON.stringify(probe),
  }
}

function whatIsDown({ scheduler, controllerManager, dns }: TenantClusterProbe): string {
  const down = [
    scheduler ? [] : ['the scheduler does not answer as healthy'],
    controllerManager ? [] : ['the controller manager does not answer as healthy'],
    dns.wanted > 0 && dns.available === 0 ? ['no pod of cluster DNS is available'] : [],
  ].flat()
  return down.length === 0 ? '' : `; ${down.join('; ')}`
}

/** Whether the programs of its version are there. */
export function componentsEvidence(says: string, now: number): Evidence {
  return { observer: OBSERVER, source: 'components of its Kubernetes version', observedAt: now, fact: says }
}

/** What of the control plane is there, in words. */
export function partsThere(host: ControlPlaneSeen): readonly string[] {
  return [...host.network ? ['its network'] : [], ...host.components.filter(({ state }) => state !== 'absent').map(({ name, state }) => `${name} (${state})`), ...host.keeps ?? []]
}

/** What of the control plane is there, as it was looked at. */
export function lookEvidence(host: ControlPlaneSeen, now: number): Evidence {
  const there = partsThere(host)
  return hostEvidence(there.length === 0 ? 'Nothing of its control plane is there.' : `Of its control plane there are ${there.join(', ')}.`, now)
}

export function hostEvidence(fact: string, now: number): Evidence {
  return { observer: OBSERVER, source: 'control-plane host', observedAt: now, fact }
}

/** Something of the control plane was never started or is gone: network, or a component without even an end to show. */
export function isMissing(host: ControlPlaneSeen): boolean {
  return !host.network || host.components.some(component => component.state === 'absent')
}

/** Nothing of it is there any more, so that a removal that was cut short is gone on with. */
export function isGone(host: ControlPlaneSeen): boolean {
  return !host.network && (host.keeps ?? []).length === 0 && host.components.every(component => component.state === 'absent')
}

function howItEnded(lastExit: NonNullable<ComponentSeen['lastExit']>): string {
  return lastExit.signal !== undefined ? `by ${lastExit.signal}` : `with exit code ${lastExit.code ?? 'unknown'}`
}
