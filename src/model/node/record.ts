import type { Evidence } from '../evidence.ts'
import type { RecordBase, Said } from '../cluster/record.ts'
import type { Label, Taint } from '../node-pool/record.ts'
import type { NodeStatus } from './status.ts'

/** What made this node: the script that was run, and the machine that ran it. */
export interface NodeSpec {
  /** The Kubernetes node name: the machine's hostname in lower case, unique in the cluster. */
  readonly name: string
  readonly onboardingId?: string
  readonly architecture: string
  /** The machine's /etc/machine-id, by which a provider finds it among its own; empty while a machine that a pool ordered, or that is logged in to, has not joined. */
  readonly machineId: string
  /** The machine was made for this node by its pool (elastic and central pools, CreateNodes, CreateEdgeNode with DirectAdd): the id of its machine record. Undefined for machines that ran a script. */
  readonly machine?: string
  /** Its owner gave address and password of the machine (CreateEdgeNode with Address), which is logged in to once; the password is kept nowhere. */
  readonly login?: { readonly address: string; readonly port: number; readonly user: string }
  /** The server of the cloud that the caller named, shown as InstanceId. */
  readonly instanceId?: string
  /** What CreateNodes said of the server's system (ImageId, InitializeScript ...), in the wire's own words, for the echo. */
  readonly sent?: Readonly<Record<string, unknown>>
  /** Of a machine that its pool ordered by itself, a hash of the template by which it did; nodes of before have none. */
  readonly template?: string
  /** Labels and taints of its own, besides those of its pool (KubernetesConfig of CreateNodes). */
  readonly carries?: { readonly labels: readonly Label[]; readonly taints: readonly Taint[] }
  /** The address with which the machine reached us. */
  readonly address?: string
}

/** Facts on one node. Times are epoch ms in the region's time. */
export interface NodeFacts {
  readonly claimedAt: number
  /** When the machine was there; starts the 15 minutes of initialisation (rule 3). */
  readonly machineExistsAt?: number
  /** ms of these 15 minutes during which the cluster was not running. */
  readonly pausedMs: number
  /** The machine is being logged in to since then, by the process that took the call; another one cannot go on with it. Gone once the onboarding script was started. */
  readonly login?: { readonly since: number; /** The password was taken, and the script is being started. */ readonly loggedInAt?: number }
  /** When a machine that was ordered for it ran its first boot and was admitted, or one that was logged in to; script-joined machines are admitted when they are claimed. */
  readonly joinedAt?: number
  /** The run of the onboarding script by which it was last admitted: one that is told to come again is no new run. */
  readonly admittedRun?: string
  /** Last progress the machine reported, e.g. `kubelet was started`. */
  readonly progress?: { readonly step: string; readonly text: string; readonly at: number }
  /** A named step failed on the machine. Taken back when the same machine runs its script again. */
  readonly initialiseFailed?: { readonly step: string; readonly text: string; readonly at: number }
  /** What the join endpoint last refused the onboarding script of its machine with, and since when; `failed`: the script ended by that. Gone when a script begins anew, when the machine is let in, and when it reports how far it is. */
  readonly turnedAway?: { readonly text: string; readonly since: number; readonly failed?: true; /** The join endpoint noted it by itself; otherwise the machine's provider tells it, and when it is over. */ readonly heard?: true }
  /** First time it was a Ready member. */
  readonly firstReadyAt?: number
  readonly creationEnded?: { readonly because: string }
  readonly deletion?: { readonly requestedAt: number; readonly by: 'call' | 'pool' | 'cluster' | 'scaling'; /** The call, where it is not the usual one of `by`. */ readonly action?: string; readonly done: readonly string[]; /** What becomes of a machine that its pool made; `Retain` leaves it in the ledger. */ readonly machine?: 'Destroy' | 'Retain'; /** Since this request its machine has been asked to go; a new request asks again. */ readonly machineAsked?: true }
  readonly obstacles: readonly string[]
  /** The Node object's Ready condition as the API server gives it; undefined: no Node object. `lastHeartbeatAt`: its last full status; `leaseRenewedAt`: its last heartbeat, read once Ready is Unknown. */
  readonly ready?: { readonly status: 'True' | 'False' | 'Unknown'; readonly since: number; readonly reason: string; readonly message: string; readonly lastHeartbeatAt?: number; readonly leaseRenewedAt?: number }
  /** Other conditions of the Node object that are True, e.g. `DiskPressure`; they do not decide, they are told. */
  readonly pressures?: readonly string[]
  readonly unschedulable: boolean
  /** Its pool wants new nodes cordoned (KubernetesConfig.Cordon), and that has not been done yet. */
  readonly toCordon?: true
  /** Labels, taints or version of the pool are not yet in the Node object. */
  readonly outOfSync: boolean
  /** Labels and taints of the pool that were last put on the Node object, as canonical JSON; tells that a pool's update reached it, removals included. */
  readonly configured?: string
  /** The same of what its kubelet was told to register, until the pool's are put on: by then the pool may want other ones. */
  readonly begins?: string
  /** The cluster has not been running since then, so the 15 minutes of initialisation stand still; joins `pausedMs` when it runs again. */
  readonly pausedSince?: number
  /** The machine's power as its provider sees it; undefined where the machine is not of a provider of ours. */
  readonly power?: {
    readonly state: 'on' | 'off'; readonly since: number; readonly lastOnAt?: number; readonly machine: string; readonly link?: 'up' | 'cut'
    /** When the link was last seen to change; undefined if it was never seen to. */
    readonly linkSince?: number
    /** Its provider has that machine no more, so it can neither be on nor come back. */
    readonly removed?: true
  }
  /** Shut down for arrears; only machines that the ledger holds. */
  readonly unpaid: boolean
  /** Set with `unpaid`: the balance and since when there is none. */
  readonly arrears?: Evidence
  /** Its machine was switched off for arrears, and is to be on again when they are paid. */
  readonly shutDown?: true
  /** When they were paid and its machine was to be on again; until it is Ready, or somebody switches it off. */
  readonly paidAt?: number
  /** What its machine's provider answers to the order to switch it on or off, and since when it fails at that; gone once the machine is as ordered. */
  readonly notSwitched?: { readonly to: 'on' | 'off'; readonly text: string; readonly since: number; /** Who was answered so, and when. */ readonly evidence?: Evidence }
  /** Recycle pools: the ordered power state that is not yet the seen one, or that is held. */
  readonly ordered?: { readonly power: 'on' | 'off'; readonly since: number; /** Pods are still asked to leave it; its machine goes off after that. */ readonly emptying?: true }
  /** Its pool keeps pods off it since before it was switched off, and takes that back once it is to run again; no cordon of anybody's is meant. */
  readonly closedToStop?: true
  /** The same of nodes of before: its pool had cordoned it. */
  readonly cordonedToStop?: true
  readonly staleSince?: number
}

export interface NodeRecord extends RecordBase {
  readonly clusterId: string
  readonly nodePoolId: string
  readonly spec: NodeSpec
  readonly facts: NodeFacts
  readonly said: Said<NodeStatus>
}
