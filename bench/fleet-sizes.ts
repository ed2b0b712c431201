/** What a node costs in memory and on disk, in fleets of different sizes: it is the same however many there are. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#main/system-clock.ts'
import { openStore, type OpenStore } from '#store/open.ts'
import { collectGarbage } from './garbage.ts'
import { quiet } from './quiet.ts'
import { endServer, makeFleet, startServer, type Running } from './simulated-fleet.ts'
import { printTable, verdict } from './table.ts'

/** Bytes. */
export interface Kept {
  /** Of the server, without garbage. */
  readonly heap: number
  /** Of the rows in the database, without their indexes and without the room that updates left behind: that depends on when it was tidied up last. */
  readonly rows: number
}

export interface FleetSize extends Kept {
  readonly nodes: number
}

/** The costliest node may cost so many times what the cheapest does. */
const BAR = 1.25

export async function keptBy({ query }: OpenStore, { child, inspectorPort }: Running): Promise<Kept> {
  const heap = await collectGarbage(child.pid ?? 0, inspectorPort)
  const tables = await query<{ name: string }>(`select schemaname || '.' || relname as name from pg_stat_user_tables`)
  let rows = 0
  for (const { name } of tables) rows += Number((await query<{ bytes: number | null }>(`select sum(pg_column_size(t.*)) as bytes from ${name} t`))[0]?.bytes ?? 0)
  return { heap, rows }
}

/** A fleet of its own, in a folder that goes with it. */
export async function sizeOfFleet(clusters: number, nodesEach: number, connections: number): Promise<FleetSize> {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-sim-'))
  chmodSync(folder, 0o711) // PostgreSQL runs as somebody else
  try {
    const running = await startServer(folder), opened = await openStore({ stateDir: folder, log: quiet, clock: systemClock })
    for await (const seen of makeFleet({ signer: running.said, clusters, nodesEach, connections })) void seen
    const kept = await keptBy(opened, running)
    await endServer(running, 'SIGTERM')
    await opened.stopDatabase()
    await opened.close()
    return { nodes: clusters * nodesEach, ...kept }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The first nodes of a server pay for what it has once: its compiled code, and what it keeps of its latest answers. So the costs of further ones are compared. */
export function printSizes(sizes: readonly FleetSize[]): void {
  const further = (kind: keyof Kept) => sizes.slice(1).map((size, index) => {
    const before = sizes[index] ?? size
    return (size[kind] - before[kind]) / (size.nodes - before.nodes)
  })
  const heaps = further('heap'), rows = further('rows')
  printTable('sim: bytes that each further node takes, the larger the fleet is', heaps.map((heap, index) => ({
    nodes: `${sizes[index]?.nodes ?? 0} to ${sizes[index + 1]?.nodes ?? 0}`, 'of the server, without garbage': Math.round(heap), 'of rows in the database': Math.round(rows[index] ?? 0),
  })))
  printTable('sim: the costliest further node to the cheapest', [{ server: verdict(Math.max(...heaps) / Math.min(...heaps), BAR), rows: verdict(Math.max(...rows) / Math.min(...rows), BAR) }])
}
