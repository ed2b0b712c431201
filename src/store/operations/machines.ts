import type { MachineRecord, Scope } from '#ports/store.ts'
import type { Queryable } from '../connection/database.ts'
import { MACHINE_COLUMNS, machineOf, machineRow, type MachineRow } from '../records/machine-row.ts'
import { freeClientTokens } from './client-tokens.ts'

export async function findMachine(connection: Queryable, id: string, lock: '' | 'for update' = ''): Promise<MachineRecord | undefined> {
  const [row] = await connection.query<MachineRow>(`select ${MACHINE_COLUMNS} from machine where id = $1 ${lock}`, [id])
  return row && machineOf(row)
}

export async function machinesOfRegion(connection: Queryable, region: string): Promise<readonly MachineRecord[]> {
  const rows = await connection.query<MachineRow>(`select ${MACHINE_COLUMNS} from machine where region = $1 order by created_at, id`, [region])
  return rows.map(machineOf)
}

export async function machinesOf(connection: Queryable, scope: Scope): Promise<readonly MachineRecord[]> {
  const rows = await connection.query<MachineRow>(`select ${MACHINE_COLUMNS} from machine where account_id = $1 and region = $2 order by created_at, id`, [scope.accountId, scope.region])
  return rows.map(machineOf)
}

export async function findMachineByMachineId(connection: Queryable, region: string, machineId: string): Promise<MachineRecord | undefined> {
  const [row] = await connection.query<MachineRow>(`select ${MACHINE_COLUMNS} from machine where region = $1 and machine_id = $2 order by created_at, id limit 1`, [region, machineId])
  return row && machineOf(row)
}

export async function insertMachine(connection: Queryable, record: MachineRecord): Promise<void> {
  await connection.query('insert into machine select * from json_populate_record(null::machine, $1::json)', [JSON.stringify(machineRow(record))])
}

export async function changeMachine(connection: Queryable, id: string, change: Partial<Pick<MachineRecord, 'power' | 'link' | 'machineId' | 'deletionRequestedAt'>>): Promise<void> {
  await connection.query(
    'update machine set power = coalesce($2, power), link = coalesce($3, link), machine_id = coalesce($4, machine_id), deletion_requested_at = coalesce($5, deletion_requested_at) where id = $1',
    [id, change.power ?? null, change.link ?? null, change.machineId ?? null, change.deletionRequestedAt ?? null],
  )
}

export async function forgetMachine(connection: Queryable, id: string): Promise<void> {
  await connection.query('delete from machine where id = $1', [id])
  await connection.query("delete from sight where kind = 'MachinePower' and id = $1", [id])
  await freeClientTokens(connection, id)
}
