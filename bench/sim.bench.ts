/** A fleet of a simulated region, made by signed calls over the wire: how long, how much memory, how many bytes a node; then what lists, changes, the death of the server and idleness cost at that size. Beside it: a bare COPY of the same rows, and moto's EKS server. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '#main/system-clock.ts'
import { openPostgresWorldStore } from '#providers/simulated/store/postgres-world-store.ts'
import { openStore, type OpenStore } from '#store/open.ts'
import { measureCopy } from './copy-baseline.ts'
import { copyFleet } from './copy-fleet.ts'
import { measureChanges, measureRestart, measureSwitchedOff } from './fleet-changes.ts'
import { measureLists } from './fleet-lists.ts'
import { keptBy, printSizes, sizeOfFleet } from './fleet-sizes.ts'
import { compareWithMoto } from './moto.ts'
import { familyOf, memoryMiB, processes, processorSeconds } from './processes.ts'
import { quiet } from './quiet.ts'
import type { Progress } from './simulated-client.ts'
import { endServer, killAll, makeFleet, startServer, type Running } from './simulated-fleet.ts'
import { SEED } from './simulated-server.ts'
import { printNote, printTable, verdict } from './table.ts'

const CLUSTERS = Number(process.env['BENCH_CLUSTERS'] ?? 10_000)
const PARTS = new Set((process.env['BENCH_PARTS'] ?? 'sizes,copy,lists,idle,changes,off,restart,moto,removal').split(','))
const IDLE_MS = Number(process.env['BENCH_IDLE_MS'] ?? 20_000)
/** The statistics of PostgreSQL are told so late, and the longest that what a start of the server set off is waited for. */
const SETTLE_MS = 12_000, LONGEST_SETTLE_MS = 180_000
const NODES_EACH = Number(process.env['BENCH_NODES_EACH'] ?? 10)
const NODES = CLUSTERS * NODES_EACH
const CONNECTIONS = Number(process.env['BENCH_CONNECTIONS'] ?? 32)
const WHOLE = 10_000
const BAR_SECONDS = 120, BAR_MIB = 2_048

/** A folder that is kept; the fleet of an earlier run is found in it. */
const KEPT = process.env['BENCH_FOLDER']
/** So many times as large the fleet is made in the tables themselves, once it was created by calls. */
const COPIES = Number(process.env['BENCH_COPIES'] ?? 1)

const folder = KEPT ?? mkdtempSync(join(tmpdir(), 'edgehold-sim-'))
mkdirSync(folder, { recursive: true })
chmodSync(folder, 0o711) // PostgreSQL runs as somebody else

async function databasePids(): Promise<readonly number[]> {
  const all = await processes()
  const postmaster = all.find(one => one.command.includes(folder) && /\bpostgres\b.*-D/.test(one.command))
  if (!postmaster) throw new Error('The database does not run')
  return familyOf(all, postmaster.pid)
}

interface Used { readonly memory: number; readonly bytes: number }

async function used(opened: OpenStore, server: number): Promise<Used> {
  const pids = [server, ...await databasePids()]
  const [row] = await opened.query<{ bytes: number }>('select pg_database_size(current_database()) as bytes')
  return { memory: pids.reduce((sum, pid) => { try { return sum + memoryMiB(pid) } catch { return sum } }, 0), bytes: row?.bytes ?? 0 } // one that ended meanwhile has none
}

async function seconds(server: number): Promise<{ server: number; database: number }> {
  return { server: processorSeconds(server), database: (await databasePids()).reduce((sum, pid) => { try { return sum + processorSeconds(pid) } catch { return sum } }, 0) } // as above
}

async function fill(opened: OpenStore, { child, said }: Running): Promise<void> {
  const server = child.pid ?? 0
  const before = await used(opened, server), cpuBefore = await seconds(server)
  const marks = [1_000, 10_000, 100_000].filter(mark => mark <= NODES)
  const sizes: Record<string, string | number>[] = []
  let last: Progress = { at: 0, clusters: 0, pools: 0, nodes: 0 }, clustersAt = 0, poolsAt = 0, peak = 0, shownAt = 0
  for await (const seen of makeFleet({ signer: said, clusters: CLUSTERS, nodesEach: NODES_EACH, connections: CONNECTIONS })) {
    last = seen
    if (last.clusters === CLUSTERS) clustersAt ||= last.at
    if (last.pools === CLUSTERS) poolsAt ||= last.at
    if (last.at > shownAt + 5_000) {
      shownAt = last.at
      const now = await used(opened, server)
      peak = Math.max(peak, now.memory)
      process.stderr.write(`${(last.at / 1000).toFixed(1)} s: ${last.clusters} clusters, ${last.pools} pools, ${last.nodes} nodes run; ${now.memory.toFixed(0)} MiB, load ${loadavg()[0]?.toFixed(1)}\n`)
    }
    while (marks[0] !== undefined && last.nodes >= marks[0]) {
      const mark = marks.shift() ?? 0, now = await used(opened, server)
      peak = Math.max(peak, now.memory)
      sizes.push({ 'nodes Running': last.nodes, 'of the mark': mark, 'PSS MiB': now.memory, 'PSS bytes a node': Math.round((now.memory - before.memory) * 1_048_576 / last.nodes), 'database bytes a node': Math.round((now.bytes - before.bytes) / last.nodes) })
    }
  }
  const cpu = await seconds(server), after = await used(opened, server)
  const bar = BAR_SECONDS * (CLUSTERS / WHOLE)
  printTable(`sim: ${CLUSTERS} clusters with ${NODES_EACH} nodes each, created by signed calls, all Running (load average ${loadavg()[0]?.toFixed(1)})`, [{
    'clusters made s': clustersAt / 1000, 'pools made s': poolsAt / 1000, 'all nodes Running s': last.at / 1000, 'server CPU s': cpu.server - cpuBefore.server, 'PostgreSQL CPU s': cpu.database - cpuBefore.database,
    'CPU ms a node': 1000 * (cpu.server - cpuBefore.server + cpu.database - cpuBefore.database) / NODES, verdict: CLUSTERS === WHOLE ? verdict(last.at / 1000, bar, ' s') : `scaled ${verdict(last.at / 1000, bar, ' s')}`,
  }])
  printTable('sim: memory and disk', [...sizes, { 'nodes Running': last.nodes, 'of the mark': 'end', 'PSS MiB': after.memory, 'PSS bytes a node': Math.round((after.memory - before.memory) * 1_048_576 / last.nodes), 'database bytes a node': Math.round((after.bytes - before.bytes) / last.nodes) }])
  printNote(`Peak of server and PostgreSQL together: ${verdict(Math.max(peak, after.memory), BAR_MIB, ' MiB')}`)
  const [rows] = await opened.query<Record<string, number>>(`select
    (select count(*) from node) as nodes,
    (select count(*) from node n where exists (select 1 from status_change c where c.kind = 'Node' and c.id = n.id and c.phase = 'Creating' and c.position is not null) and exists (select 1 from status_change c where c.kind = 'Node' and c.id = n.id and c.phase = 'Running' and c.position is not null)) as told,
    (select count(*) from ledger l where l.kind = 'Machine' and l.state = 'Held') as held,
    (select count(*) from status_change) as history, (select count(*) from work) as work`)
  printTable('sim: tables', (await opened.query<Record<string, string | number>>(`select c.relname as name, pg_table_size(c.oid) / ${NODES} as "table bytes a node", pg_indexes_size(c.oid) / ${NODES} as "index bytes a node", s.n_tup_ins as inserted, s.n_tup_upd as updated, s.n_tup_hot_upd as "of these hot" from pg_class c join pg_stat_user_tables s on s.relid = c.oid order by pg_total_relation_size(c.oid) desc limit 12`)))
  printTable('sim: rows', [rows ?? {}])
}

const written = (opened: OpenStore) => opened.query<{ name: string; writes: number }>(`select schemaname || '.' || relname as name, n_tup_ins + n_tup_upd + n_tup_del as writes from pg_stat_user_tables`)

/** Waits until no key is worked on any more: a server that started looks through all there is, a little at a time. */
async function comeToRest(opened: OpenStore): Promise<void> {
  const worked = async () => (await written(opened)).find(({ name }) => name === 'public.work')?.writes
  const startedAt = performance.now()
  for (let seen: number | undefined, last = await worked(); seen !== last && performance.now() - startedAt < LONGEST_SETTLE_MS; last = await worked()) {
    seen = last
    await sleep(SETTLE_MS)
  }
  process.stderr.write(`at rest after ${((performance.now() - startedAt) / 1000).toFixed(0)} s\n`)
}

/** Nothing happens: what is written but leases, and how much processor time it takes. */
async function measureIdle(opened: OpenStore, server: number): Promise<void> {
  const before = new Map((await written(opened)).map(row => [row.name, row.writes])), cpu = await seconds(server)
  await sleep(IDLE_MS)
  const after = await seconds(server)
  const differs = (await written(opened)).flatMap(({ name, writes: now }) => (now === before.get(name) ? [] : [`${name} ${now - (before.get(name) ?? 0)}`]))
  const [row] = await opened.query<{ clusters: number }>('select count(*) as clusters from cluster')
  const share = 100 * (after.server - cpu.server + after.database - cpu.database) / (IDLE_MS / 1000)
  printTable(`sim: idle for ${IDLE_MS / 1000} s`, [{ 'of a core %': share, 'of a core a thousand clusters %': verdict(share / Math.max(1, (row?.clusters ?? 0) / 1000), 1), 'rows written': differs.join(', ') || 'none' }])
}

/** What DeleteRegion does once nobody runs the region any more: its world goes, then every row of its records in one transaction. */
async function measureRemoval(opened: OpenStore, region: string): Promise<void> {
  const [row] = await opened.query<{ nodes: number; machines: number }>('select (select count(*) from node) as nodes, (select count(*) from machine) as machines')
  const began = performance.now()
  await (await openPostgresWorldStore(opened.query)).forget(region)
  const world = performance.now()
  await opened.store.write(systemClock.now(), tx => tx.forgetRegion(region))
  printTable('sim: the region is removed', [{ nodes: row?.nodes ?? 0, machines: row?.machines ?? 0, 'its world s': (world - began) / 1000, 'its records s': (performance.now() - world) / 1000 }])
}

try {
  let running = await startServer(folder)
  const opened = await openStore({ stateDir: folder, log: quiet, clock: systemClock })
  const [there] = await opened.query<{ nodes: number }>('select count(*) as nodes from node')
  if ((there?.nodes ?? 0) === 0) {
    await fill(opened, running)
    if (PARTS.has('sizes')) printSizes([await sizeOfFleet(CLUSTERS / 100, NODES_EACH, CONNECTIONS), await sizeOfFleet(CLUSTERS / 10, NODES_EACH, CONNECTIONS), { nodes: NODES, ...await keptBy(opened, running) }])
    if (COPIES > 1) {
      await endServer(running, 'SIGTERM')
      await copyFleet(opened, { copies: COPIES, seed: SEED })
      running = await startServer(folder)
    }
  }
  if (PARTS.size > 0 && !PARTS.has('none')) await comeToRest(opened)
  if (PARTS.has('copy')) await measureCopy(opened)
  if (PARTS.has('lists')) await measureLists(opened, running.said)
  if (PARTS.has('idle')) await measureIdle(opened, running.child.pid ?? 0)
  if (PARTS.has('changes')) await measureChanges(opened, running.said)
  // The silence of the machines that were switched off is noticed later, and is no part of what is measured next.
  if (PARTS.has('changes')) await comeToRest(opened)
  if (PARTS.has('off')) {
    await measureSwitchedOff(opened, running.said)
    await comeToRest(opened)
  }
  if (PARTS.has('restart')) await measureRestart(opened, running.said, async () => {
    await endServer(running, 'SIGKILL')
    running = await startServer(folder)
  })
  if (PARTS.has('moto')) await compareWithMoto(running.said)
  await endServer(running, 'SIGTERM')
  if (PARTS.has('removal')) await measureRemoval(opened, running.said.region)
  await opened.stopDatabase()
  await opened.close()
} finally {
  killAll()
  if (KEPT === undefined) rmSync(folder, { recursive: true, force: true })
}
