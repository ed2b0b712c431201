import type { NodePoolFacts, NodePoolRecord } from '#model/node-pool/record.ts'
import { isMachineRemoved } from '#model/node/readiness.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { RoomSeen } from '#ports/tenant-cluster.ts'
import { mayAdopt } from './claims.ts'
import { keptFor } from './need.ts'
import type { NodePoolPorts } from './ports.ts'
import { isLost } from './scale-in.ts'

/** By their ids, and since when each is so. */
type Since = readonly { readonly id: string; readonly name: string; readonly since: number }[]

export interface InTheWay {
  /** Nothing is known to run on them, and nothing will. */
  readonly lost: Since
  /** Somebody cordoned them, and nothing is on them that finds no room elsewhere. Whoever did that may open them again, or take them away himself: they are in the way only once they have been both for as long as any idle node. */
  readonly closed: Since
  /** The same, which have to stay all the same as no fewer may run. */
  readonly kept: NodePoolFacts['kept']
}

/** Members of a pool that may have no more, which are no place for what waits and keep one from coming. Where as few run as callers allow, a closed one is left as it is. Under a quota one whose machine is gone keeps none from coming. */
export function inTheWay({ spec: { scaling }, facts, counts }: Pick<NodePoolRecord, 'spec' | 'facts' | 'counts'>, nodes: readonly NodeRecord[], room: RoomSeen, now: number): InTheWay {
  const empty = nodes.filter(({ spec }) => !room.busy.includes(spec.name)), least = scaling?.minReplicas ?? 0
  const lost = empty.filter(node => isLost(node) && !(isLimited(facts) && hasNoMachine(node))), cordoned = empty.filter(isClosed)
  const busy = cordoned.length === 0 ? new Set<string>() : keptFor(room, cordoned.map(({ spec }) => spec.name))
  const closed = cordoned.filter(({ spec }) => !busy.has(spec.name))
  return {
    lost: lost.map(({ id, spec: { name }, said: { since } }) => ({ id, name, since })),
    ...counts.running > least
      ? { closed: closed.map(({ id, spec: { name }, said: { since } }) => ({ id, name, since: Math.max(facts.idle?.[id] ?? now, since) })), kept: undefined }
      : { closed: [], kept: closed.length > 0 ? { nodes: closed.map(({ spec }) => spec.name), least } : undefined },
  }
}

/** As far as is known before its provider is asked: what works is not given up for a machine that will be refused. The one that goes leaves its own place. */
export async function whyNoneComes(pool: NodePoolRecord, ports: NodePoolPorts): Promise<string | undefined> {
  if (!(await mayAdopt(pool, ports))) return 'the account is in arrears'
  const quota = (await ports.regionOf(pool.region).quotas?.(pool.accountId) ?? []).find(({ kind, limit, held }) => kind === 'Machine' && held > limit)
  return quota && `the account may have ${quota.limit} ${quota.limit === 1 ? 'machine' : 'machines'} by its quota, and has ${quota.held}`
}

/** A quota keeps it from having more, and a machine that goes leaves it a place. Where one went for that, and none came since, the next one would go in vain as well. */
export function isLimited({ refused }: Pick<NodePoolFacts, 'refused'>): boolean {
  return refused?.as === 'LimitedByQuota' && refused.leftFor === undefined
}

function hasNoMachine({ facts }: NodeRecord): boolean {
  return facts.machineExistsAt === undefined || isMachineRemoved(facts)
}

/** What the pool itself does with a node is nobody else's cordon. */
function isClosed({ said: { status }, facts }: NodeRecord): boolean {
  return status.phase === 'Running' && facts.unschedulable && !facts.deletion && !facts.cordonedToStop && facts.ordered === undefined
}
