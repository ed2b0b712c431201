import { Held } from './not-removed.ts'

/**
 * What a cluster needs besides its control plane and that somebody else makes and bills: the load balancer of its API, a NAT gateway, a security group, a public
 * address, disks. Regions that have none of it leave the port out, and then nothing is made or waited for.
 */
export type OutsideKind = 'LoadBalancer' | 'Nat' | 'SecurityGroup' | 'Address' | 'Disk'

export interface OutsideOrder {
  /** Derived from the owner's record, so that the same order after a crash gives the same thing and not a second. */
  readonly token: string
  readonly kind: OutsideKind
  readonly accountId: string
  readonly clusterId: string
  /** As its owner calls it, e.g. `shop-LoadBalancer`. */
  readonly name: string
}

export interface OutsideSeen {
  readonly providerId: string
  /** `making` ends by itself; the region then tells it as a change of that cluster's control plane. */
  readonly state: 'making' | 'ready'
  readonly deleteProtected: boolean
}

/** The provider does not give it: nothing was made, and a creation that needs it ends so. */
export class OutsideRefused extends Error {
  readonly kind = 'OutsideRefused'
  readonly as: (typeof OUTSIDE_REFUSALS)[number]
  constructor(as: OutsideRefused['as'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.as = as
  }

  /** The provider has none left of what is asked for. */
  static soldOut(message: string): OutsideRefused {
    return new OutsideRefused('StockOut', message)
  }

  /** The account may not have more of them. */
  static overQuota(message: string): OutsideRefused {
    return new OutsideRefused('LimitedByQuota', message)
  }
}

export const OUTSIDE_REFUSALS = ['LimitedByQuota', 'StockOut'] as const

/** It cannot be removed: it is protected, or the provider refuses for good. */
export class OutsideHeld extends Held {
  readonly kind = 'OutsideHeld'
}

export interface OutsideResources {
  /** Makes it if it is not there; safe to repeat. Throws OutsideRefused. */
  ensure(order: OutsideOrder): Promise<OutsideSeen>
  look(token: string): Promise<OutsideSeen | undefined>
  /** Already gone is success. Throws OutsideHeld where it can never be done without somebody's help, any other error where it may succeed later. */
  ensureGone(token: string): Promise<void>
}
