import type { MachineRecord } from '#ports/store.ts'

export interface MachineRow {
  readonly id: string
  readonly account_id: string
  readonly region: string
  readonly name: string
  readonly address: string
  readonly power: MachineRecord['power']
  readonly link: MachineRecord['link']
  readonly machine_id: string | null
  readonly created_at: number
  readonly deletion_requested_at: number | null
}

export const MACHINE_COLUMNS = 'id, account_id, region, name, address, power, link, machine_id, created_at, deletion_requested_at'

export function machineOf(row: MachineRow): MachineRecord {
  return {
    id: row.id, accountId: row.account_id, region: row.region, name: row.name, address: row.address, power: row.power, link: row.link, createdAt: row.created_at,
    ...(row.machine_id === null ? {} : { machineId: row.machine_id }),
    ...(row.deletion_requested_at === null ? {} : { deletionRequestedAt: row.deletion_requested_at }),
  }
}

export function machineRow(machine: MachineRecord): MachineRow {
  return {
    id: machine.id, account_id: machine.accountId, region: machine.region, name: machine.name, address: machine.address, power: machine.power, link: machine.link,
    machine_id: machine.machineId ?? null, created_at: machine.createdAt, deletion_requested_at: machine.deletionRequestedAt ?? null,
  }
}
