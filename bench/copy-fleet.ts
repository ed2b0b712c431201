/**
 * Makes a fleet many times as large, in the tables themselves, while no server has it open: each row again under other ids, names and hashes. What a server then opens is as if all of it had been
 * created by calls, but for what nobody asks for again: claimed addresses and ranges, and the lines of first boots.
 */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { pkiSecretName } from '#controllers/cluster/tenant-address.ts'
import { Draw } from '#providers/simulated/world/draw.ts'
import type { OpenStore } from '#store/open.ts'

const ROWS_AT_ONCE = 5_000
const SECRETS_AT_ONCE = 200
/** Parents first. What the database counts itself is left to it. */
const TABLES: readonly { readonly table: string; readonly without?: readonly string[] }[] = [
  { table: 'cluster' }, { table: 'node_pool' }, { table: 'node' }, { table: 'node_status' }, { table: 'addon' }, { table: 'machine' }, { table: 'machine_secret' }, { table: 'node_token' }, { table: 'ledger' }, { table: 'sight' },
  { table: 'status_change', without: ['ordinal', 'position'] }, { table: 'work', without: ['ordinal'] }, { table: 'world.thing' },
]
/** What is kept of the region or the account as a whole is there once. */
const OF_A_RESOURCE = `id ~ '[cnpmkl][0-9a-v]{20}'`
const DIGITS = '0123456789abcdefghijklmnopqrstuv'

/** `copies`: how often each row is there afterwards. */
export async function copyFleet(opened: OpenStore, { copies, seed }: { readonly copies: number; readonly seed: number }): Promise<void> {
  const { query, store } = opened
  const draw = new Draw(seed)
  const machines = await query<{ id: string; machine_id: string | null }>('select id, machine_id from machine')
  const clusters = (await query<{ id: string }>('select id from cluster')).map(({ id }) => id)
  const secrets = await Promise.all(clusters.slice(0, 1).map(id => store.readSecret(pkiSecretName(id))))
  const machineOf = new Map(machines.flatMap(({ id, machine_id: known }) => (known === null ? [] : [[known, id] as const])))
  const originals = new Map<string, readonly string[]>()
  for (const { table } of TABLES) {
    const where = table === 'world.thing' || table === 'work' ? `where ${OF_A_RESOURCE}` : ''
    originals.set(table, (await query<{ row: string }>(`select row_to_json(t)::text as row from ${table} t ${where}`)).map(({ row }) => row))
  }
  for (let copy = 1; copy < copies; copy++) {
    const renamed = renaming(copy, draw, machineOf)
    for (const { table, without = [] } of TABLES) {
      const columns = (await query<{ name: string }>(`select attname as name from pg_attribute where attrelid = '${table}'::regclass and attnum > 0 and not attisdropped order by attnum`)).map(({ name }) => name).filter(name => !without.includes(name)).join(', ')
      const rows = originals.get(table) ?? []
      for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
        await query(`insert into ${table} (${columns}) select ${columns} from json_populate_recordset(null::${table}, $1::json)`, [`[${rows.slice(from, from + ROWS_AT_ONCE).map(renamed).join(',')}]`])
      }
    }
    for (let from = 0; from < clusters.length; from += SECRETS_AT_ONCE) {
      await store.write(Date.now(), async tx => { for (const id of clusters.slice(from, from + SECRETS_AT_ONCE)) await tx.putSecret(pkiSecretName(idOf(id, copy)), secrets[0] ?? '{}') })
    }
    process.stderr.write(`copied ${copy + 1} of ${copies}\n`)
  }
  // The store numbers them by itself.
  while ((await query('select 1 from status_change where position is null limit 1')).length > 0) await sleep(500)
  await query('insert into node_tally select account_id, region, phase, conditions, (nodes * $1)::bigint from (select account_id, region, phase, conditions, sum(nodes) as nodes from node_tally group by 1, 2, 3, 4) tallied', [copies - 1])
  for (const { table } of [...TABLES, { table: 'node_tally' }]) await query(`vacuum analyze ${table}`)
}

function renaming(copy: number, draw: Draw, machineOf: ReadonlyMap<string, string>): (row: string) => string {
  return row => row
    .replaceAll(/"sealed_first_boot":"[^"]*"/g, '"sealed_first_boot":null')
    .replaceAll(/\b[cnpmkl][0-9a-v]{20}\b/g, id => idOf(id, copy))
    .replaceAll(/\b(?:elastic-[0-9a-v]+|made-\d+)\b/g, name => `${name}-${copy}`)
    .replaceAll(/\b[0-9a-f]{64}\b/g, hash => createHash('sha256').update(`${hash}${copy}`).digest('hex'))
    .replaceAll(/\b[0-9a-f]{32}\b/g, known => {
      const machine = machineOf.get(known)
      return machine === undefined ? known : draw.hex(32, 'machine-id', idOf(machine, copy))
    })
}

/** Two of an id's random letters are moved on, so that no copy has the id of another. */
function idOf(id: string, copy: number): string {
  const moved = (at: number, by: number) => DIGITS[(DIGITS.indexOf(id[at] ?? '') + by) & 31]
  return `${id.slice(0, 10)}${moved(10, copy >> 5)}${moved(11, copy)}${id.slice(12)}`
}
