import type { Label, Taint } from '#model/node-pool/record.ts'
import type { ControlPlaneComponent } from '#ports/control-plane-host.ts'
import type { MachineStuck, MachineTurnedAway } from '#ports/machines.ts'
import type { OutsideKind } from '#ports/outside.ts'

/**
 * What a world holds, as it is kept. Nothing here says how a thing is at an instant: it holds what was asked and drawn, from which that is computed.
 * Times are epoch ms of the region; members that are often absent are optional, since there are a hundred thousand of some.
 */
export interface Plane {
  readonly name: string
  readonly version: string
  readonly address: string
  readonly podCidr: string
  readonly maxPodsPerNode: number
  /** False: its processes are stopped and its data is kept. */
  on: boolean
  /** How often it was started as a whole; another start draws anew. */
  starts: number
  /** From when its API answers, if its components keep running. */
  readyAt?: number
  components: Partial<Record<ControlPlaneComponent, ComponentLife>>
  dataLost?: string
  /** The next pod range to be given to a node. */
  nextRange: number
}

export interface ComponentLife {
  running: boolean
  startedAt: number
  /** Starts of the last ten minutes. */
  starts: number[]
  lastExit?: { at: number; code?: number; signal?: string; lastLines: readonly string[] }
  /** When its supervisor starts it again. */
  startsAgainAt?: number
  /** How often it ended by itself since it last ran well; its supervisor waits longer each time. */
  ends: number
}

/** What the API of a cluster holds besides nodes and pods. */
export interface Inside {
  base: boolean
  members: readonly string[]
  kubeconfigs: readonly string[]
}

export type Readiness = 'True' | 'False' | 'Unknown'

export interface WorldNode {
  readonly name: string
  readonly machine: string
  readonly uid: string
  readonly createdAt: number
  readonly podCidr: string
  readonly ip: string
  labels: Readonly<Record<string, string>>
  taints: readonly Taint[]
  /** Labels and taints that an earlier pool configuration put on, so that it can take them off: `label/KEY`, `taint/KEY/EFFECT`. */
  configured?: readonly string[]
  unschedulable: boolean
  ready: Readiness
  since: number
  /** Why its kubelet says that it is not ready. */
  says?: string
  /** Heartbeats come since then; those of a time before are older. */
  heardSince: number
  /** No heartbeat since then. */
  silentSince?: number
  /** Heartbeats come again then. */
  heardFrom?: number
  /** What the API will say of it, and when. */
  turns?: readonly { readonly to: Readiness; readonly at: number }[]
}

export interface WorldMachine {
  readonly name: string
  readonly address: string
  power: 'on' | 'off'
  powerSince: number
  lastOnAt?: number
  link: 'up' | 'cut'
  linkSince: number
  /** The pool that ordered it. */
  readonly pool?: string
  /** How often it was switched on. */
  boots: number
  /** Its system is up from then on, while its power stays. */
  upAt?: number
  /** The line that it runs at its first start. */
  firstBoot?: string
  script?: ScriptRun
  /** Its first start does not go on, as its console tells. */
  stuck?: MachineStuck
  /** What its script was refused with, as its console tells. */
  turnedAway?: MachineTurnedAway
  /** How often it had run a script when it was admitted last. */
  runs?: number
  /** The cluster that admitted it. */
  member?: Membership
  /** What it was taken from, and goes back to. */
  takes?: { readonly kind: string; readonly area?: string; readonly account?: string }
  /** The machine whose place it took. */
  replaces?: string
  /** The machine that took its place. */
  replacedBy?: string
  protected?: true
}

/** One run of the onboarding script, from the line on. */
export interface ScriptRun {
  readonly token: string
  readonly startedAt: number
  /** How manieth run on this machine. */
  readonly run: number
  /** Contact with the region's join endpoint is tried then. */
  contactAt: number
  /** What a fault makes of its preflight, once it is admitted: it ends it, or makes it take so much longer. */
  readonly preflight?: { readonly fails?: string; readonly laterMs: number }
  /** Its contact was held up once, and is not again. */
  heldUp?: true
  /** Contacts that were answered with "later". */
  tries: number
  /** The script ended, by itself or with its machine. */
  ended?: true
}

/** What a kubelet puts on the Node object that it registers, as the join endpoint told it. */
export interface Beginning {
  readonly labels: readonly Label[]
  readonly taints: readonly Taint[]
  readonly cordoned?: true
}

export interface Membership {
  readonly clusterId: string
  readonly nodeName: string
  readonly nodeId?: string
  readonly node?: Beginning
  readonly admittedAt: number
  /** The kubelet starts for the first time. */
  readonly startsAt: number
  /** Steps that begin later, or do not go as they should, and are reported when they begin. */
  readonly begins?: readonly { readonly step: string; readonly at: number; readonly text: string }[]
  /** The step of the installation that ends it, and what that says. */
  readonly fails?: { readonly step: string; readonly at: number; readonly text: string; /** It was reported. */ readonly told?: true }
  /** When it asks again whether it is a member, and how often it has asked in a row. */
  readonly asksAt?: number
  readonly asks?: number
}

/** A load balancer, a NAT gateway and the like. */
export interface OutsideThing {
  readonly kind: OutsideKind
  readonly name: string
  readonly clusterId: string
  readonly providerId: string
  readonly readyAt: number
  readonly takes: { readonly kind: string; readonly area?: string; readonly account?: string }
  deleteProtected: boolean
}
