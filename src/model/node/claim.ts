import type { MachineTemplate, NodePoolSpec } from '../node-pool/record.ts'
import type { NodeFacts, NodeSpec } from './record.ts'

/**
 * A claim for a machine: the node that it is to become, the machine's record, and the ledger's row, inserted in one transaction before any provider is asked
 * (intent first). Machine and ledger row are named after the node, so that whoever comes after a crash finds the same machine and never orders a second.
 */
export interface Claim {
  readonly node: Scoped & { readonly id: string; readonly clusterId: string; readonly nodePoolId: string; readonly spec: NodeSpec; readonly facts: NodeFacts }
  readonly machine: Scoped & {
    readonly id: string; readonly name: string; readonly address: string; readonly power: 'on' | 'off'; readonly link: 'up'; readonly createdAt: number
    readonly ownedBy: { readonly nodeId: string; readonly nodePoolId: string; readonly clusterId: string }
    readonly template?: MachineTemplate
    readonly firstBoot?: string
  }
  readonly ledger: MachineEntry
}

interface Scoped { readonly accountId: string; readonly region: string }

/** A ledger row of a machine that a pool ordered. */
export type MachineEntry = Scoped & {
  readonly id: string; readonly kind: 'Machine'; readonly providerId: string; readonly clusterId: string; readonly state: 'Intended' | 'Held' | 'Releasing' | 'Retained' | 'Released'
  readonly owner: { readonly kind: 'Node' | 'NodePool' | 'Machine'; readonly id: string; readonly name: string }
  readonly because?: string; readonly deleteProtected: false; readonly since: number; readonly power?: 'on' | 'off'
}

export interface Wish {
  readonly nodeId: string
  readonly now: number
  readonly pool: Scoped & { readonly id: string; readonly clusterId: string; readonly spec: Pick<NodePoolSpec, 'name' | 'namePrefix' | 'template' | 'cordon'> }
  /** Its address on the region's network; empty where its provider gives it one. */
  readonly address: string
  /** By default one that is made of the pool's name and the node's id. */
  readonly name?: string
  readonly firstBoot?: string
  /** By default the pool's. */
  readonly template?: MachineTemplate
}

/** The three rows of one claim. `now`: epoch ms in the region's time. */
export function claimOf({ nodeId, now, pool, address, firstBoot, name = claimedName(pool.spec, nodeId), template = pool.spec.template }: Wish): Claim {
  const { accountId, region, id: nodePoolId, clusterId } = pool
  const machineId = machineIdOf(nodeId), { carries } = template ?? {}
  const owned = { accountId, region, clusterId, nodePoolId }
  return {
    node: { id: nodeId, ...owned, spec: { name, architecture: '', machineId: '', machine: machineId, ...(template?.instanceId !== undefined && { instanceId: template.instanceId }), ...(carries && { carries: { labels: carries.labels, taints: carries.taints } }) }, facts: { ...claimedFacts(now), ...((pool.spec.cordon || carries?.cordon) && { toCordon: true as const }) } },
    machine: {
      id: machineId, accountId, region, name, address, power: 'on', link: 'up', createdAt: now, ownedBy: { nodeId, nodePoolId, clusterId },
      ...(template && { template }), ...(firstBoot !== undefined && { firstBoot }),
    },
    ledger: machineEntry({ accountId, region, id: machineId, name, ownedBy: { nodeId, nodePoolId, clusterId } }, 'Intended', now),
  }
}

/** Facts of a node whose machine is not there yet. */
export function claimedFacts(now: number): NodeFacts {
  return { claimedAt: now, pausedMs: 0, obstacles: [], unschedulable: false, outOfSync: false, unpaid: false }
}

/** The ledger's row of an ordered machine; its owner is the node, or the pool while the claim is a bare one. */
export function machineEntry(
  machine: Scoped & { readonly id: string; readonly name: string; readonly ownedBy: { readonly nodeId?: string; readonly nodePoolId: string; readonly clusterId: string } },
  state: MachineEntry['state'], now: number, more: { readonly because?: string; readonly power?: 'on' | 'off' } = {},
): MachineEntry {
  const { accountId, region, id, name, ownedBy } = machine
  const owner = ownedBy.nodeId === undefined ? { kind: 'NodePool' as const, id: ownedBy.nodePoolId, name } : { kind: 'Node' as const, id: ownedBy.nodeId, name }
  return { id: ledgerIdOf(id), accountId, region, kind: 'Machine', providerId: id, clusterId: ownedBy.clusterId, owner, state, deleteProtected: false, since: now, ...more }
}

/** The machine while it is the owner's. One that was made after its record was gone has its id, and is its account's own until it is taken down. */
export function ownMachine<Machine extends { readonly ownedBy?: { readonly nodeId?: string; readonly nodePoolId: string } }>(machine: Machine | undefined, owner: { readonly nodeId: string } | { readonly nodePoolId: string }): Machine | undefined {
  const isOwn = 'nodeId' in owner ? machine?.ownedBy?.nodeId === owner.nodeId : machine?.ownedBy?.nodePoolId === owner.nodePoolId
  return isOwn ? machine : undefined
}

export function machineIdOf(nodeId: string): string {
  return `m${nodeId.slice(1)}`
}

export function nodeIdOf(machineId: string): string {
  return `n${machineId.slice(1)}`
}

export function ledgerIdOf(machineId: string): string {
  return `l${machineId.slice(1)}`
}

/** Ten characters of an id with 48 bits of its chance: among a hundred thousand names two are the same once in fifty thousand times, and then other ids are taken. Behind them stands what tells simulated regions of one seed apart, whose machines have the same names. */
const TELLING = [-14, -4] as const
const LONGEST_PREFIX = 40

/** A hostname and Kubernetes node name, made of the pool's prefix, its servers' prefix or its name, as far as it can stand in one. */
export function claimedName({ name, template, namePrefix }: Pick<NodePoolSpec, 'name' | 'namePrefix' | 'template'>, nodeId: string): string {
  const ofServers = template?.nodeConfig?.['NamePrefix']
  const wanted = namePrefix || (typeof ofServers === 'string' && ofServers) || name
  const prefix = wanted.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').slice(0, LONGEST_PREFIX).replaceAll(/^-+|-+$/g, '')
  return `${prefix === '' ? 'node' : prefix}-${nodeId.slice(...TELLING)}`
}
