import type { KeyObject } from 'node:crypto'

import type { MachineChange, MachineOrderChange, MachineRecord, Scope } from '#ports/store.ts'
import type { Queryable, TransactionConnection } from '../connection/database.ts'
import { sentRows } from '../connection/sent-rows.ts'
import { asIds, isAmong } from '../connection/statements.ts'
import { COLUMNS_OF } from '../records/columns.ts'
import { MACHINE_COLUMNS, machineOf, machineRow, ownerColumns, sealedFirstBoot, wholeMachineOf, withMachineId, type MachineRow } from '../records/machine-row.ts'
import { versionOf, type Known, type RecordsMet, type Versioned } from '../records/known-records.ts'
import { withoutUndefined } from '../unit-of-work.ts'
import { freeClientTokens } from './client-tokens.ts'
import { readKnown } from './read-known.ts'

export async function findMachine(connection: Queryable, key: KeyObject, known: Known, id: string, lock: '' | 'for update' = ''): Promise<MachineRecord | undefined> {
  const [machine] = await readKnown(connection, machinesIn(known, key), `where id = $1 ${lock}`, [id], [id])
  return machine
}

/** As findMachine, of many. */
export function machinesById(connection: Queryable, key: KeyObject, known: Known, ids: readonly string[], lock: '' | 'order by id for update' | 'order by id for update skip locked' = ''): Promise<readonly MachineRecord[]> {
  return readKnown(connection, machinesIn(known, key), `where ${isAmong('id', '$1')} ${lock}`, [asIds(ids)], ids)
}

function machinesIn({ machines }: Known, key: KeyObject) {
  return { table: 'machine', columns: `${MACHINE_COLUMNS}, sealed_first_boot`, of: (row: MachineRow) => wholeMachineOf(row, key), known: machines }
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
export function insertMachines(connection: TransactionConnection, key: KeyObject, known: RecordsMet<MachineRecord>, records: readonly MachineRecord[]): void {
  if (records.length === 0) return
  const rows = new Map(records.map(record => [record.id, machineRow(withoutUndefined(record), key)]))
  const { into, values } = sentRows<string>(COLUMNS_OF.machine, [...rows.values()].map(row => ({ ...row })))
  known.wrote(connection.send<Versioned>(`${into('machine')} returning id, ${versionOf('machine')}`, values), id => {
    const row = rows.get(id)
    return row && wholeMachineOf(row, key)
  })
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

/** `locked`: those whose rows this transaction holds, and has not changed. */
export function setMachineIds(connection: TransactionConnection, known: RecordsMet<MachineRecord>, locked: ReadonlyMap<string, MachineRecord>, made: readonly { readonly id: string; readonly machineId: string }[]): void {
  const idOf = new Map(made.map(({ id, machineId }) => [id, machineId]))
  const written = connection.send<Versioned>(
    `update machine set machine_id = t.machine_id from unnest($1::text[], $2::text[]) as t (id, machine_id) where machine.id = t.id returning machine.id, ${versionOf('machine')}`,
    [[...idOf.keys()], [...idOf.values()]],
  )
  known.wrote(written, id => {
    const machine = locked.get(id), machineId = idOf.get(id)
    return machine && machineId !== undefined ? withMachineId(machine, machineId) : undefined
  })
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
