import type { KeyObject } from 'node:crypto'

import type { MachineRecord } from '#ports/store.ts'
import { seal, unseal } from '../encryption/seal.ts'

export interface MachineRow {
  readonly id: string
  readonly account_id: string
  readonly region: string
  readonly name: string
  readonly address: string
  readonly power: MachineRecord['power']
  readonly link: MachineRecord['link']
  readonly machine_id: string | null
  readonly granted: boolean | null
  readonly created_at: number
  readonly deletion_requested_at: number | null
  readonly owner_node_id: string | null
  readonly owner_node_pool_id: string | null
  readonly owner_cluster_id: string | null
  readonly template: NonNullable<MachineRecord['template']> | null
  readonly refused: NonNullable<MachineRecord['refused']> | null
  readonly obstacle: NonNullable<MachineRecord['obstacle']> | null
  readonly sealed_first_boot?: Buffer | null
}

export const MACHINE_COLUMNS = 'id, account_id, region, name, address, power, link, machine_id, granted, created_at, deletion_requested_at, owner_node_id, owner_node_pool_id, owner_cluster_id, template, refused, obstacle'

function place(id: string): string {
  return `machine/${id}`
}

export function sealedFirstBoot(key: KeyObject, id: string, firstBoot: string): Buffer {
  return seal(key, place(id), firstBoot)
}

/** With its first boot, which lists leave sealed; it is unsealed when somebody reads it, as few do. */
export function wholeMachineOf(row: MachineRow, key: KeyObject): MachineRecord {
  const { id, sealed_first_boot: sealed } = row
  const machine = machineOf(row)
  return sealed ? Object.defineProperty(machine, 'firstBoot', { enumerable: true, get: () => unseal(key, place(id), sealed) }) : machine
}

/** Its first boot stays sealed. */
export function withMachineId(machine: MachineRecord, machineId: string): MachineRecord {
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(machine), machineId: { value: machineId, enumerable: true } }) as MachineRecord
}

export function machineOf(row: MachineRow): MachineRecord {
  return {
    id: row.id, accountId: row.account_id, region: row.region, name: row.name, address: row.address, power: row.power, link: row.link, createdAt: row.created_at,
    ...(row.granted === true && { granted: true as const }),
    ...(row.machine_id === null ? {} : { machineId: row.machine_id }),
    ...(row.deletion_requested_at === null ? {} : { deletionRequestedAt: row.deletion_requested_at }),
    ...ownerOf(row),
    ...(row.template === null ? {} : { template: row.template }),
    ...(row.refused === null ? {} : { refused: row.refused }),
    ...(row.obstacle === null ? {} : { obstacle: row.obstacle }),
  }
}

function ownerOf(row: MachineRow): { ownedBy?: NonNullable<MachineRecord['ownedBy']> } {
  if (row.owner_node_pool_id === null || row.owner_cluster_id === null) return {}
  return { ownedBy: { ...(row.owner_node_id === null ? {} : { nodeId: row.owner_node_id }), nodePoolId: row.owner_node_pool_id, clusterId: row.owner_cluster_id } }
}

export function ownerColumns(ownedBy: MachineRecord['ownedBy'] | null) {
  return { owner_node_id: ownedBy?.nodeId ?? null, owner_node_pool_id: ownedBy?.nodePoolId ?? null, owner_cluster_id: ownedBy?.clusterId ?? null }
}

export function machineRow(machine: MachineRecord, key: KeyObject): MachineRow & { readonly instance_id: string | null } {
  return {
    id: machine.id, account_id: machine.accountId, region: machine.region, name: machine.name, address: machine.address, power: machine.power, link: machine.link,
    granted: machine.granted ?? null, machine_id: machine.machineId ?? null, created_at: machine.createdAt, deletion_requested_at: machine.deletionRequestedAt ?? null,
    ...ownerColumns(machine.ownedBy ?? null), template: machine.template ?? null, instance_id: machine.template?.instanceId ?? null,
    refused: machine.refused ?? null, obstacle: machine.obstacle ?? null,
    sealed_first_boot: machine.firstBoot === undefined ? null : sealedFirstBoot(key, machine.id, machine.firstBoot),
  }
}
