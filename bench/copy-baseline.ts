/** The baseline of a fleet's rows: PostgreSQL's own COPY of the same rows into tables with the same indexes. */
import { mkdtempSync, rmSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OpenStore } from '#store/open.ts'
import { printTable } from './table.ts'

const TABLES = ['cluster', 'node_pool', 'node', 'node_status', 'addon', 'machine', 'machine_secret', 'node_token', 'ledger', 'sight', 'status_change', 'world.thing']

/** Seconds. */
export async function measureCopy(opened: OpenStore): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-copy-'))
  chmodSync(folder, 0o777) // PostgreSQL writes there, as somebody else
  let milliseconds = 0, count = 0
  try {
    for (const [index, table] of TABLES.entries()) {
      const file = join(folder, `${index}.copy`)
      await opened.query(`copy ${table} to '${file}'`)
      await opened.query(`create table copied_${index} (like ${table} including all)`)
      const startedAt = performance.now()
      await opened.query(`copy copied_${index} from '${file}'`)
      milliseconds += performance.now() - startedAt
      const [rows] = await opened.query<{ count: number }>(`select count(*) as count from copied_${index}`)
      count += rows?.count ?? 0
      await opened.query(`drop table copied_${index}`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  printTable('sim: baseline, COPY of the same rows', [{ rows: count, 's': milliseconds / 1000 }])
  return milliseconds / 1000
}
