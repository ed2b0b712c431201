import type { Listing, MachineRecord, Page, Scope, Store } from '#ports/store.ts'
import { Conditions } from '../conditions.ts'
import type { Queryable } from '../connection/database.ts'
import { MACHINE_COLUMNS, machineOf } from '../records/machine-row.ts'
import { listPage } from './list-page.ts'

export function listMachines(connection: Queryable, scope: Scope, filter: Parameters<Store['listMachines']>[1], page: Page): Promise<Listing<MachineRecord>> {
  const conditions = Conditions.inScope(scope).oneOf('id', filter.ids).oneOf('name', filter.names)
  return listPage(connection, 'machine', MACHINE_COLUMNS, conditions, page, machineOf)
}
