import type { Terms } from '#model/node-pool/fits.ts'
import type { NearTerms } from '#model/node-pool/neighbours.ts'

/** What is in it is no user's: add-ons, and the base. */
export const SYSTEM_NAMESPACE = 'kube-system'

/** What somebody wants to run in a cluster. Amounts are requests of one pod, terms and labels are of each of them. */
export interface WorkloadOrder extends Terms, Omit<NearTerms, 'name' | 'ends'> {
  readonly kind: 'Deployment' | 'DaemonSet'
  readonly namespace: string
  readonly name: string
  /** Of a Deployment; a DaemonSet has one on each node that fits. */
  readonly replicas?: number
  readonly cpuMillis: number
  readonly memoryMiB: number
  /** `name:tag` in the region's registry. */
  readonly image: string
  /** Its containers end so, each time they start. */
  readonly exits?: { readonly code: number; readonly words: string }
}

export interface Pod {
  readonly name: string
  /** Of the workload's order that it was made from. */
  readonly revision: number
  readonly madeAt: number
  node?: string
  placedAt?: number
  /** It is ready from then on, while its node is. */
  readyAt?: number
  /** How often its containers have ended, while they did not end again and again. */
  restarts?: number
  /** Why its container does not run, and since when. */
  broken?: { readonly by: 'image' | 'exit'; readonly since: number }
  /** Why the scheduler finds no place. */
  unplaced?: { readonly message: string }
}

export interface Workload extends WorkloadOrder {
  readonly clusterId: string
  /** The add-on whose it is; undefined: a user's. */
  readonly owner?: string
  readonly revision: number
  /** How many pods were ever made, for their names. */
  made: number
  pods: Pod[]
}
