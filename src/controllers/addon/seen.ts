import type { AddonRecord } from '#model/addon/record.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { AddonSeen } from '#ports/addon-installer.ts'

/** Everything that a pass over an add-on looked at. Times are the region's, in epoch ms. */
export interface AddonPassSeen {
  readonly now: number
  readonly record: AddonRecord
  /** Undefined: it is gone. */
  readonly cluster: Pick<ClusterRecord, 'facts'> | undefined
  /** Undefined where it was not looked at, or where nothing of it is there. */
  readonly looked: AddonSeen | undefined
  /** Nodes of its cluster that are off, go off or come back by their pool's wish, or that are to go, and the instant at which one that comes back has to be there; read only where something of the add-on may be missing on them. */
  readonly resting: readonly RestingNode[]
  /** How often to look besides events, ms; undefined where the region tells of every change. */
  readonly lookEveryMs: number | undefined
  /** When the region last told of something by which what was tried in vain may be done. */
  readonly toldAt?: number
}

export interface RestingNode {
  readonly name: string
  readonly until?: number
}
