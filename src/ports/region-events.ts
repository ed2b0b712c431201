import type { MachineSeen } from './machines.ts'
import type { NodeSeen } from './tenant-cluster.ts'

/**
 * What a region that keeps its own time tells of itself: when something in it changes next, and what changed. Nothing in it ticks: what holds at an instant is computed
 * from what was asked of it, so that a month that is stepped over costs its events and nothing else.
 */
export interface RegionEvents {
  /** The next instant, in the region's time, at which something changes by itself; undefined where nothing is under way. */
  nextAt(): number | undefined
  /** Lets the region live until that instant (never back) and answers what changed, in the order in which it did. */
  liveUntil(at: number): Promise<readonly RegionChange[]>
  /** Whoever watches has dealt with all that it was answered. What was not heard when a process ends is told to the next one. */
  heard(): void
  /** Everything as it is now, as if all of it had just changed: for whoever begins to watch. */
  everything(): Promise<readonly RegionChange[]>
}

export type RegionChange =
  | { readonly kind: 'ControlPlane'; readonly clusterId: string }
  /** It is there, though until now its provider may have answered that it is not: whoever believed that may have left it to nobody. */
  | { readonly kind: 'MachineAfterAll'; readonly seen: MachineSeen }
  | { readonly kind: 'Node'; readonly clusterId: string; readonly name: string; readonly seen: NodeSeen | undefined }
  | { readonly kind: 'Machine'; readonly id: string; readonly seen: MachineSeen | undefined }
  /** Pods of a workload changed, by which an add-on's health may have. */
  | { readonly kind: 'Workload'; readonly clusterId: string; readonly addon: string }
  /** What finds no room in the cluster, or what could go elsewhere, changed (TenantCluster.room), by which a pool that scales by itself may grow or shrink. */
  | { readonly kind: 'Room'; readonly clusterId: string }
  /** What calls in this region meet may be otherwise from now on, and nobody can tell for whom: whoever has put off the next try for long tries again. */
  | { readonly kind: 'Turn' }
  /** A machine runs its onboarding script and asks to be admitted. */
  | { readonly kind: 'Join'; readonly machineId: string; /** How manieth run of the script on it. */ readonly run: number; readonly token: string; readonly hostname: string; readonly architecture: string; readonly secret: string; readonly address: string }
  /** A machine that was admitted as a node of that name reports how far it is, or which step failed. */
  | { readonly kind: 'Report'; readonly secret: string; readonly clusterId: string; readonly nodeName: string; readonly outcome: 'progress' | 'failed'; readonly step: string; readonly text: string }
  /** A machine asks whether it is still a member. */
  | { readonly kind: 'Membership'; readonly secret: string }
