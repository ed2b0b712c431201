import type { Evidence } from '#model/evidence.ts'
import { rfc3339Seconds } from '#model/time.ts'
import type { KubernetesNodeFact } from './sights.ts'
import type { MachinePowerFact } from '#ports/machine-power.ts'
import type { Watched } from './seen.ts'

export function readyEvidence(name: string, { fact, seenAt, observer }: Watched<KubernetesNodeFact>): Evidence {
  const source = `Node/${name} condition Ready`
  if (fact.gone) return { observer, source: `Node/${name}`, observedAt: seenAt, fact: `The cluster has no Node object ${name}.` }
  const { ready } = fact
  const heard = [
    ready?.leaseRenewedAt === undefined ? '' : `, last heartbeat (its Lease) at ${rfc3339Seconds(ready.leaseRenewedAt)}`,
    ready?.lastHeartbeatAt === undefined ? '' : `, last full status at ${rfc3339Seconds(ready.lastHeartbeatAt)}`,
  ].join('')
  return {
    observer, source, observedAt: seenAt,
    fact: ready
      ? `Ready is ${ready.status} since ${rfc3339Seconds(ready.since)}${heard}: ${ready.reason}${fact.unschedulable ? '; spec.unschedulable is set' : ''}.`
      : 'The Node object says nothing about Ready yet.',
    raw: JSON.stringify({ ready, unschedulable: fact.unschedulable, pressures: fact.pressures }),
  }
}

/** The machine that this node ran on is not among its provider's any more. */
export function removedEvidence(machine: string, now: number): Evidence {
  return { observer: 'node controller', source: `machine ${machine}`, observedAt: now, fact: `The machine ${machine} was removed from its region.` }
}

/** Whether what its pool asks for is in the Node object. */
export function configEvidence(name: string, outOfSync: boolean, { seenAt, observer }: Watched<KubernetesNodeFact>): Evidence {
  return { observer, source: `Node/${name} labels and taints`, observedAt: seenAt, fact: outOfSync ? 'They are not yet what its pool asks for.' : 'They are what its pool asks for.' }
}

/** What is done of its leaving, or of bringing its configuration to it. */
export function doneEvidence(name: string, done: string, now: number): Evidence {
  return { observer: 'node controller', source: `Node/${name}`, observedAt: now, fact: `Done: ${done}.` }
}

/** `linkSince`: when the link was last seen to change. */
export function powerEvidence({ fact, machine, seenAt, observer }: Watched<MachinePowerFact> & { readonly machine: string }, linkSince?: number): Evidence {
  return {
    observer, source: `machine ${machine} power`, observedAt: seenAt,
    fact: `The power is ${fact.state} since ${rfc3339Seconds(fact.since)}; the network link is ${fact.link}${linkSince === undefined ? '' : ` since ${rfc3339Seconds(linkSince)}`}.`,
    raw: JSON.stringify(fact),
  }
}
