/** Who looked, at what, when, and what was there; hangs on every status change (own-actions.md, `Evidence`). Times are epoch milliseconds in the region's time. */
export interface Evidence {
  /** E.g. `cluster controller`, `watch on cluster shop`, `machine shop-1`, `caller AKLT…`. */
  readonly observer: string
  /** E.g. `Node/shop-1 condition Ready`, `machine shop-1 power`, `etcd exit`. */
  readonly source: string
  readonly observedAt: number
  /** One sentence. */
  readonly fact: string
  /** The observation as it came, secrets left out. */
  readonly raw?: string
}

export type ResourceKind = 'Cluster' | 'NodePool' | 'Node' | 'Addon' | 'Onboarding'

/** A resource as our own actions name it. */
export interface ResourceName {
  readonly kind: ResourceKind
  readonly id: string
  readonly name: string
  readonly clusterId?: string
}
