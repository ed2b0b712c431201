import type { ClusterRecord } from '#model/cluster/record.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { MachinePowerFact } from '#ports/machine-power.ts'
import type { MachineRecord } from '#ports/store.ts'
import type { KubernetesNodeFact } from './sights.ts'

/** Everything that a pass over a node looked at. Times are the region's, in epoch ms. */
export interface NodePassSeen {
  readonly now: number
  readonly record: Pick<NodeRecord, 'facts' | 'spec'>
  /** `undefined` where the parent's record is gone, which counts as done for its children. */
  readonly pool: NodePoolRecord | undefined
  readonly cluster: ClusterRecord | undefined
  /** The Node object; `undefined` if nobody has looked yet. */
  readonly object: Watched<KubernetesNodeFact> | undefined
  /** The machine that its pool ordered for it; `undefined` where none was, or where it is gone. */
  readonly machine: OrderedMachineSeen | undefined
  /** The machine's power; `undefined` where no provider of ours has that machine. */
  readonly power: (Watched<MachinePowerFact> & { readonly machine: string }) | undefined
  /** This process is logging in to its machine; left out otherwise. */
  readonly loginUnderWay?: true
  /** Asked in deletion and before it is switched off only: the cluster's API answered this pass. */
  readonly apiAnswers: boolean
  /** Each change in the region is told, so nothing need be asked for again and again; left out where some are not. */
  readonly tellsAll?: true
}

export type OrderedMachineSeen = Pick<MachineRecord, 'machineId' | 'power' | 'refused' | 'obstacle' | 'deletionRequestedAt'>

/** A sight, or a look of this pass's own. */
export interface Watched<Fact> {
  readonly fact: Fact
  readonly seenAt: number
  readonly observer: string
  /** Nobody sees since then; the fact is the last one seen. */
  readonly staleSince?: number
}
