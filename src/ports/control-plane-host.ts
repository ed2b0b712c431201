import type { Names } from './not-removed.ts'

/** Runs kube-apiserver, controller-manager, scheduler and etcd of tenant clusters. Components outlive the server and are adopted by it. */

/** PEM texts. One bundle a cluster, made once and kept encrypted in the store; the host writes what the components need to a private memory file system. */
export interface ClusterPki {
  readonly caCert: string
  readonly caKey: string
  readonly frontProxyCaCert: string
  readonly frontProxyCaKey: string
  readonly etcdCaCert: string
  readonly etcdCaKey: string
  readonly serviceAccountKey: string
  readonly serviceAccountPublicKey: string
}

export interface ControlPlaneOrder {
  readonly clusterId: string
  readonly name: string
  /** E.g. `v1.35.4`. */
  readonly version: string
  /** On the region's bridge; the API listens on it at 6443. */
  readonly address: string
  readonly podCidr: string
  readonly serviceCidr: string
  /** Room for 2 × this many pods in each node's range. */
  readonly maxPodsPerNode: number
  readonly pki: ClusterPki
}

export type ControlPlaneComponent = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler'

export interface ComponentSeen {
  readonly name: ControlPlaneComponent
  readonly state: 'absent' | 'running' | 'exited'
  readonly pid?: number
  readonly startedAt?: number
  /** The last end of it, if it ever ended by itself: when, how, and its own last words (at most 20 lines). */
  readonly lastExit?: { readonly at: number; readonly code?: number; readonly signal?: string; readonly lastLines: readonly string[] }
  /** Starts in the last ten minutes, the first included. */
  readonly recentStarts: number
}

export interface ControlPlaneSeen {
  /** The cluster's network namespace and its end on the bridge are there. */
  readonly network: boolean
  readonly components: readonly ComponentSeen[]
  /** What else of it lies on the host, in words (`its data`): nothing is gone as long as any of it is there. */
  readonly keeps?: readonly string[]
  /** The datastore's folder was there and is lost or damaged: a sentence. */
  readonly dataLost?: string
  /** Beside `dataLost`: somebody can put a copy of it back where it was, by which the host starts it again; without, it is lost for good. */
  readonly takesCopy?: true
}

/** A component could not be started at all (port taken, disk full, a program missing): the message is a sentence with a way out. */
export class ControlPlaneFailure extends Error {
  readonly kind = 'ControlPlaneFailure'
  readonly retry: 'soon' | 'never'
  /** It was refused after it had been accepted: by a quota, or because nothing is left. */
  readonly refusedAs: 'LimitedByQuota' | 'StockOut' | undefined
  /** Of a removal: what the message names (see Held). */
  readonly names: Names | undefined
  constructor(message: string, retry: 'soon' | 'never', options?: ErrorOptions & { readonly refusedAs?: 'LimitedByQuota' | 'StockOut'; readonly names?: Names }) {
    super(message, options)
    this.retry = retry
    this.refusedAs = options?.refusedAs
    this.names = options?.names
  }
}

export interface ControlPlaneHost {
  look(clusterId: string): Promise<ControlPlaneSeen>
  /** Namespace, files, and every component started under its supervisor; returns without waiting for readiness. What already runs is left alone. */
  ensure(order: ControlPlaneOrder): Promise<void>
  /** Processes stopped, data kept (arrears, `down --all`). */
  ensureStopped(clusterId: string): Promise<void>
  /** Nothing is left: processes, namespace, cgroups, data. Already gone is success. Removes what it can and throws one AggregateError naming what is left. */
  ensureGone(clusterId: string): Promise<void>
  /** Routes from the cluster's namespace to each node's pod range, so that the API server reaches pods. Replaces the whole list. */
  ensureRoutes(clusterId: string, routes: readonly { podCidr: string; via: string }[]): Promise<void>
  /** Calls back with the cluster's id when a component of it started or ended. Ends when aborted. */
  watch(onChange: (clusterId: string) => void, signal: AbortSignal): Promise<void>
}
