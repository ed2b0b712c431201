import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import type { Database, Queryable } from '../connection/database.ts'
import { sumCostsAnew } from '../operations/tally-costs.ts'
import { countNodesAnew } from '../operations/tally-nodes.ts'
import { LIVE_LEASE } from '../queue/lease.ts'
import { MIGRATIONS } from './list.ts'
import { keepStatusChecks } from './status-checks.ts'

/** Any number that nobody else on a shared server is likely to use: the bytes of `edgehold`. */
const MIGRATION_LOCK = '7306073769690752100'
const OLDEST_VERSION = 15
const ALONE_LOOKS = 20, ALONE_LOOK_MS = 500

/**
 * Brings the database to the tables of this code, forward only, one process at a time. Throws with a sentence where the database is too old, or newer than
 * this code knows.
 */
export async function migrate(database: Database, log: Log, clock: Clock): Promise<void> {
  const [server] = await database.query<{ number: number; text: string }>(`select current_setting('server_version_num')::int as number, current_setting('server_version') as text`)
  if (!server || server.number < OLDEST_VERSION * 10_000) throw new Error(`The database is PostgreSQL ${server?.text}; Edgehold needs ${OLDEST_VERSION} or newer`)
  await database.transaction(async connection => {
    await connection.query(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`)
    await connection.query('create table if not exists migration (number integer primary key, name text not null, applied_at timestamptz not null default now())')
    const applied = await connection.query<Applied>('select number, name from migration order by number')
    refuseUnknown(applied)
    if (applied.length > 0 && MIGRATIONS.slice(applied.length).some(({ alone }) => alone)) await untilAlone(connection, log, clock)
    for (const [index, migration] of MIGRATIONS.entries()) {
      if (index < applied.length) continue
      log.info({ migration: migration.name }, 'Migrating the database')
      await runScript(connection, migration.sql)
      await connection.query('insert into migration (number, name) values ($1, $2)', [index + 1, migration.name])
    }
    await keepStatusChecks(connection)
    await sumCostsAnew(connection)
    await countNodesAnew(connection)
  })
}

/** Throws with a sentence where the database has not the tables of this code. */
export async function refuseOtherVersion(database: Database): Promise<void> {
  const [{ made } = { made: false }] = await database.query<{ made: boolean }>(`select to_regclass('migration') is not null as made`)
  const applied = made ? await database.query<Applied>('select number, name from migration order by number') : []
  refuseUnknown(applied)
  if (applied.length < MIGRATIONS.length) throw new Error('The database is of an older version of Edgehold; ./edgehold up brings it up to date')
}

interface Applied { readonly number: number; readonly name: string }

function refuseUnknown(applied: readonly Applied[]): void {
  const unknown = applied.find(row => MIGRATIONS[row.number - 1]?.name !== row.name)
  if (unknown) throw new Error(`The database was changed by another version of Edgehold (migration ${unknown.name}); start that version or a newer one`)
}

/** A server that was killed has its leases for a few seconds more. Throws with a sentence where one is alive. */
async function untilAlone(connection: Queryable, log: Log, clock: Clock): Promise<void> {
  for (let look = 1; ; look++) {
    const [living] = await connection.query<{ name: string }>(`select name from lease where ${LIVE_LEASE} order by name limit 1`)
    if (!living) return
    if (look === ALONE_LOOKS) throw new Error(`A server of an older version still runs on this database (${living.name}); end it with its own "edgehold down", and start this one again`)
    if (look === 1) log.info({ lease: living.name }, 'Waiting for a server of an older version to end')
    await clock.sleep(ALONE_LOOK_MS)
  }
}

/** A prepared statement is one command, so a script goes inside a DO block, which takes as many as there are. */
async function runScript(connection: Queryable, sql: string): Promise<void> {
  await connection.query(`do $migration$ begin execute $script$${sql}$script$; end $migration$`)
}
