/** What a person may arrange in a region whose world is invented. Regions with a real world have none of it. */

export const FAULT_EFFECTS = ['fail', 'hang', 'slow', 'lie', 'stutter', 'half', 'double', 'protected', 'silent'] as const
export type FaultEffect = (typeof FAULT_EFFECTS)[number]

/** Which effects heed a member besides their type. */
export interface Heeding { readonly for: readonly FaultEffect[]; readonly code: readonly FaultEffect[]; readonly message: readonly FaultEffect[] }

/** What of an effect would change nothing, so that whoever sent it believed something else. */
export function unheeded(effect: FaultOrder['effect'], heeding: Heeding): { readonly member: string; readonly why: string } | undefined {
  for (const [name, member] of [['for', 'For'], ['code', 'Code'], ['message', 'Message']] as const) {
    if (effect[name] === undefined || heeding[name].includes(effect.type)) continue
    return { member: `Effect.${member}`, why: `nothing of what ${effect.type} does depends on it; it is for ${heeding[name].join(', ')}${name === 'for' ? ', and a fault ends by its Times or Until' : ''}` }
  }
  return undefined
}

/** A fault as it is ordered (own-actions.md, InjectFault): data at a call of a port, or at a happening behind it. Times are epoch ms of the region, `for` is ms. */
export interface FaultOrder {
  readonly port: string
  readonly call?: string
  readonly target?: { readonly kind?: string; readonly id?: string; readonly name?: string; readonly label?: string; readonly nth?: number }
  readonly effect: { readonly type: FaultEffect; readonly code?: string; readonly message?: string; readonly for?: number }
  /** How often it strikes; without it as often as something comes by (a stutter three times). What is for the how manieth alone strikes once. */
  readonly times?: number
  readonly from?: number
  readonly until?: number
}

export interface StandingFault extends FaultOrder {
  readonly id: string
  readonly injectedAt: number
  readonly hits: number
}

/** What a call or a happening concerns. */
export interface FaultTarget {
  readonly kind: string
  readonly id: string
  readonly name?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** What else it is, or is part of: the node of a machine, its cluster. */
  readonly also?: readonly { readonly kind: string; readonly id: string; readonly name?: string | undefined }[] | undefined
  /** Only a fault that names the call strikes it. */
  readonly onlyNamed?: boolean | undefined
}

export interface RegionFaults {
  /** What keeps the order from being a fault: the member (`Port`, `Call`, `Target.Kind` …) and a clause; undefined where nothing does. Calls of the port `api` are the caller's to check. */
  complaint(order: FaultOrder): { readonly member: string; readonly why: string } | undefined
  inject(id: string, order: FaultOrder): Promise<void>
  /** Oldest first. */
  list(): readonly StandingFault[]
  /** False if there is none of that id. */
  clear(id: string): Promise<boolean>
  clearAll(): Promise<void>
  /** The fault that strikes this call now, counted as a hit. */
  strike(port: string, call: string, target: FaultTarget): StandingFault | undefined
}

/** How many of a kind may still be had: in that area, or in all that have no stock of their own. */
export interface StockShown { readonly kind: string; readonly area?: string; readonly count: number }

/** Without a stock there is no limit. */
export interface RegionStock {
  /** How many of a kind may still be had, in one area or in all; undefined takes the limit away. */
  setStock(kind: string, area: string | undefined, count: number | undefined): Promise<void>
  /** What is set, by kind and area. */
  stock(): readonly StockShown[]
}

export const LIMITED_KINDS = ['Machine', 'LoadBalancer', 'Nat', 'Address', 'SecurityGroup', 'Disk'] as const

/** What users of a cluster would do with kubectl, and what somebody would push. Throws TenantClusterUnreachable while the cluster's API gives no answer. */
export interface RegionUsers {
  /** What keeps the cluster from taking an object of that kind, as a clause; undefined where it knows the kind. */
  kindComplaint(clusterId: string, kind: string): string | undefined
  putObject(object: { readonly clusterId: string; readonly kind: string; readonly namespace?: string; readonly name: string; readonly finalizers?: readonly string[] }): Promise<void>
  /** False if there is none of that name. One with finalizers stays, marked, until they are taken off. */
  deleteObject(which: { readonly clusterId: string; readonly kind: string; readonly namespace?: string; readonly name: string }): Promise<boolean>
  /** A workload of so many pods, each asking for so much; no pods take it away. */
  setWorkload(workload: { readonly clusterId: string; readonly name: string; readonly pods: number; readonly cpuMillis: number; readonly memoryMiB: number }): Promise<void>
  /** An image, `name` or `name:tag`, is in the region's registry or is not. */
  setImage(name: string, present: boolean): Promise<void>
}
