import type { KeyObject } from 'node:crypto'

import type { MachineChange, MachineOrderChange, MachineRecord, Scope } from '#ports/store.ts'
import type { Queryable, TransactionConnection } from '../connection/database.ts'
import { sentRows } from '../connection/sent-rows.ts'
import { asIds, isAmong } from '../connection/statements.ts'
import { COLUMNS_OF } from '../records/columns.ts'
import { MACHINE_COLUMNS, machineOf, machineRow, ownerColumns, sealedFirstBoot, wholeMachineOf, type MachineRow } from '../records/machine-row.ts'
import { freeClientTokens } from './client-tokens.ts'

export async function findMachine(connection: Queryable, key: KeyObject, id: string, lock: '' | 'for update' = ''): Promise<MachineRecord | undefined> {
  const [row] = await connection.query<MachineRow>(`select ${MACHINE_COLUMNS}, sealed_first_boot from machine where id = $1 ${lock}`, [id])
  return row && wholeMachineOf(row, key)
}

/** As findMachine, of many. */
export async function machinesById(connection: Queryable, key: KeyObject, ids: readonly string[], lock: '' | 'order by id for update' | 'order by id for update skip locked' = ''): Promise<readonly MachineRecord[]> {
  const rows = await connection.query<MachineRow>(`select ${MACHINE_COLUMNS}, sealed_first_boot from machine where ${isAmong('id', '$1')} ${lock}`, [asIds(ids)])
  return rows.map(row => wholeMachineOf(row, key))
}

export function machinesOfRegion(connection: Queryable, region: string): Promise<readonly MachineRecord[]> {
  return readMachines(connection, 'region = $1', [region])
}

export function machinesOf(connection: Queryable, scope: Scope): Promise<readonly MachineRecord[]> {
  return readMachines(connection, 'account_id = $1 and region = $2', [scope.accountId, scope.region])
}

export function machinesOfInstances(connection: Queryable, scope: Scope, instanceIds: readonly string[]): Promise<readonly MachineRecord[]> {
  return readMachines(connection, `account_id = $1 and region = $2 and ${isAmong('instance_id', '$3')}`, [scope.accountId, scope.region, asIds(instanceIds)])
}

export async function findMachineByMachineId(connection: Queryable, region: string, machineId: string): Promise<MachineRecord | undefined> {
  const [row] = await connection.query<MachineRow>(`select ${MACHINE_COLUMNS} from machine where region = $1 and machine_id = $2 order by created_at, id limit 1`, [region, machineId])
  return row && machineOf(row)
}

/** Sent, not waited for, as are the other statements here that answer nothing. */
export function insertMachines(connection: TransactionConnection, key: KeyObject, records: readonly MachineRecord[]): void {
  if (records.length === 0) return
  const { into, values } = sentRows<string>(COLUMNS_OF.machine, records.map(record => machineRow(record, key)))
  connection.send(into('machine'), values)
}

/** Null takes a member away; a member that is not named stays as it is. */
export function changeMachine(connection: TransactionConnection, key: KeyObject, id: string, change: MachineChange): void {
  const columns: readonly (readonly [column: string, value: unknown])[] = [
    ...column('power', change.power), ...column('link', change.link), ...column('granted', change.granted), ...column('machine_id', change.machineId), ...column('deletion_requested_at', change.deletionRequestedAt),
    ...(change.ownedBy === undefined ? [] : Object.entries(ownerColumns(change.ownedBy))),
    ...column('sealed_first_boot', change.firstBoot && sealedFirstBoot(key, id, change.firstBoot)),
    ...column('refused', change.refused && JSON.stringify(change.refused)), ...column('obstacle', change.obstacle && JSON.stringify(change.obstacle)),
  ]
  if (columns.length === 0) return
  connection.send(`update machine set ${columns.map(([name], index) => `${name} = $${index + 2}`).join(', ')} where id = $1`, [id, ...columns.map(([, value]) => value)])
}

export function orderMachines(connection: TransactionConnection, orders: readonly MachineOrderChange[]): void {
  connection.send(
    'update machine set power = coalesce(t.power, machine.power), link = coalesce(t.link, machine.link) from unnest($1::text[], $2::text[], $3::text[]) as t (id, power, link) where machine.id = t.id',
    [orders.map(({ id }) => id), orders.map(({ power }) => power ?? null), orders.map(({ link }) => link ?? null)],
  )
}

export function setMachineIds(connection: TransactionConnection, made: readonly { readonly id: string; readonly machineId: string }[]): void {
  connection.send('update machine set machine_id = t.machine_id from unnest($1::text[], $2::text[]) as t (id, machine_id) where machine.id = t.id', [made.map(({ id }) => id), made.map(({ machineId }) => machineId)])
}

function column(name: string, value: unknown): readonly (readonly [string, unknown])[] {
  return value === undefined ? [] : [[name, value]]
}

export async function forgetMachine(connection: Queryable, id: string): Promise<void> {
  await connection.query('delete from machine where id = $1', [id])
  await connection.query('delete from node_token where machine_id = $1', [id])
  await connection.query("delete from sight where kind = 'MachinePower' and id = $1", [id])
  await freeClientTokens(connection, id)
}

async function readMachines(connection: Queryable, where: string, values: readonly unknown[]): Promise<readonly MachineRecord[]> {
  const rows = await connection.query<MachineRow>(`select ${MACHINE_COLUMNS} from machine where ${where} order by created_at, id`, values)
  return rows.map(machineOf)
}
