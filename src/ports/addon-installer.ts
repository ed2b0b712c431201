import type { WorkloadsSeen } from '#model/addon/health.ts'
import type { AddonSpec, SupportedAddon } from '#model/addon/record.ts'
import { Held } from './not-removed.ts'
import type { TenantClusterAddress } from './tenant-cluster.ts'

/** An object of the add-on's name is in the cluster and belongs to somebody else. The message names it. */
export class AddonConflict extends Error {
  readonly kind = 'AddonConflict'
}

/** Something of the add-on cannot be removed without somebody's help, and asking again will not do: it is protected. The message names it. What may go by itself, such as a custom resource with a finalizer, is any other error. */
export class AddonHeld extends Held {
  readonly kind = 'AddonHeld'
}

export interface AddonSeen extends WorkloadsSeen {
  /** The version that its objects are of. */
  readonly version: string
}

/** Installs add-ons in tenant clusters and looks after their workloads. Every call has a deadline of seconds and throws TenantClusterUnreachable when it could not look. */
export interface AddonInstaller {
  /** What may be installed in this region. */
  catalogue(): readonly SupportedAddon[]
  /** Applies its objects in that version and configuration; safe to repeat; returns without waiting for pods. Throws AddonConflict. */
  ensure(cluster: TenantClusterAddress, addon: Pick<AddonSpec, 'name' | 'version' | 'config'>): Promise<void>
  /** Undefined where none of its objects is there. */
  look(cluster: TenantClusterAddress, name: string): Promise<AddonSeen | undefined>
  /** Removes its objects, and its definitions with everything of their kinds if so asked. Already gone is success. Throws one AggregateError of what could not be removed, AddonHeld among it. */
  ensureGone(cluster: TenantClusterAddress, name: string, options: { readonly crds: 'Delete' | 'Retain' }): Promise<void>
  /** How often to look besides events, ms; undefined where the region tells of every change. */
  readonly lookEveryMs?: number | undefined
}
