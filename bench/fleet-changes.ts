/** Machines of a fleet that are switched off by signed calls, and when their nodes show it: at a steady pace, and over the death of the server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OpenStore } from '#store/open.ts'
import { runProgram } from '#test/harness/command.ts'
import { Caller } from './simulated-client.ts'
import type { PacedOrder, PacedSeen } from './paced-calls.ts'
import type { Signer } from './signed-requests.ts'
import { percentile, printTable, verdict } from './table.ts'

const A_SECOND = Number(process.env['BENCH_CHANGES_A_SECOND'] ?? 1_000)
const SECONDS = Number(process.env['BENCH_CHANGES_SECONDS'] ?? 60)
const WARM_UP_SECONDS = 5
const IN_FLIGHT = Number(process.env['BENCH_IN_FLIGHT'] ?? 1_000)
const LOOK_EVERY_MS = 10
const PATIENCE_MS = 120_000
const BAR_MS = 250, RESTART_BAR_MS = 5_000
const CONNECTIONS = 32, PACED_CONNECTIONS = 200
/** Of the pace that was wanted. */
const HELD_SHARE = 0.98

/** Calls back with each node that stands in the history anew, as any reader of the database sees it. */
async function follow(opened: OpenStore, seen: (id: string) => void, signal: AbortSignal): Promise<void> {
  const [last] = await opened.query<{ ordinal: number }>('select coalesce(max(ordinal), 0) as ordinal from status_change')
  let ordinal = last?.ordinal ?? 0
  while (!signal.aborted) {
    const rows = await opened.query<{ ordinal: number; id: string }>(`select ordinal, id from status_change where ordinal > $1 and kind = 'Node' and phase = 'Failed' order by ordinal`, [ordinal])
    for (const row of rows) seen(row.id)
    ordinal = rows.at(-1)?.ordinal ?? ordinal
    await sleep(LOOK_EVERY_MS)
  }
}

async function someNodes(opened: OpenStore, count: number): Promise<readonly string[]> {
  return (await opened.query<{ id: string }>(`select id from node where phase = 'Running' order by random() limit $1`, [count])).map(({ id }) => id)
}

/** The machine that a pool ordered for a node. */
const machineOf = (nodeId: string): string => `m${nodeId.slice(1)}`

export async function measureChanges(opened: OpenStore, signer: Signer): Promise<void> {
  const stop = new AbortController(), shownAt = new Map<string, number>()
  // As fast as everybody's clock: a fleet at sixty times that would tell of the same machines again within the second, when their silence is noticed.
  const clock = new Caller(signer, 1), { Speed } = await clock.call('GetClock', {})
  await clock.call('SetClock', { Speed: 1 })
  const nodes = await someNodes(opened, A_SECOND * (WARM_UP_SECONDS + SECONDS)), measured = nodes.slice(A_SECOND * WARM_UP_SECONDS)
  const following = follow(opened, id => { if (!shownAt.has(id)) shownAt.set(id, performance.timeOrigin + performance.now()) }, stop.signal)
  const { dueAt, took } = await sendPaced({ signer, action: 'SetMachine', bodies: nodes.map(id => ({ Id: machineOf(id), Power: 'off' })), aSecond: A_SECOND, connections: PACED_CONNECTIONS })
  for (const end = performance.now() + PATIENCE_MS; measured.some(id => !shownAt.has(id)) && performance.now() < end;) await sleep(LOOK_EVERY_MS)
  stop.abort()
  await following
  await clock.call('SetClock', { Speed })
  const warm = nodes.length - measured.length, called = took.slice(warm)
  const shown = measured.flatMap((id, index) => { const at = shownAt.get(id); return at === undefined ? [] : [at - (dueAt[warm + index] ?? 0)] })
  const answered = dueAt.map((at, number) => at + (took[number] ?? 0)), held = measured.length / ((Math.max(...answered.slice(warm)) - (dueAt[warm] ?? 0)) / 1000)
  const isHeld = shown.length === measured.length && held >= HELD_SHARE * A_SECOND
  printTable(`sim: machines switched off, ${A_SECOND} a second wanted, after ${WARM_UP_SECONDS} s of the same`, [{
    'changes a second': held, 'call p50 ms': percentile(called, 50), 'call p99 ms': percentile(called, 99), 'shown p50 ms': percentile(shown, 50), 'shown p99 ms': percentile(shown, 99), 'slowest ms': Math.max(...shown), 'not shown': measured.length - shown.length,
    verdict: isHeld ? verdict(percentile(shown, 99), BAR_MS, ' ms') : 'MISSED: the pace was not held, or not all was shown',
  }])
}

async function sendPaced(order: PacedOrder): Promise<PacedSeen> {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-paced-')), file = join(folder, 'order.json')
  try {
    writeFileSync(file, JSON.stringify(order))
    const ran = await runProgram(process.execPath, [join(import.meta.dirname, 'paced-calls.ts'), file], { deadlineMs: 1_000 * order.bodies.length / order.aSecond + PATIENCE_MS })
    if (ran.code !== 0) throw new Error(`The caller ended with ${ran.code}: ${ran.stderr}`)
    return JSON.parse(ran.stdout) as PacedSeen
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** `restart` kills the server and answers when its successor listens. */
export async function measureRestart(opened: OpenStore, signer: Signer, restart: () => Promise<void>): Promise<void> {
  const caller = new Caller(signer, CONNECTIONS), nodes = await someNodes(opened, IN_FLIGHT), asked = new Set<string>()
  let sent = 0
  const calls = Promise.all(Array.from({ length: CONNECTIONS }, async () => {
    for (let number = sent++; number < nodes.length; number = sent++) {
      const id = nodes[number] ?? ''
      await caller.call('SetMachine', { Id: machineOf(id), Power: 'off' }).then(() => asked.add(id), () => undefined) // what the dying server did not answer is not counted
    }
  }))
  await Promise.race([calls, sleep(PATIENCE_MS)])
  const left = async () => (await opened.query<{ id: string }>(`select id from node where id = any($1::text[]) and phase = 'Running'`, [[...asked]])).length
  const inFlight = await left()
  const startedAt = performance.now()
  await restart()
  const listensAt = performance.now()
  let unshown = inFlight
  for (const end = startedAt + PATIENCE_MS; unshown > 0 && performance.now() < end;) {
    await sleep(LOOK_EVERY_MS)
    unshown = await left()
  }
  const ms = performance.now() - startedAt
  printTable('sim: the server is killed with changes in flight', [{ 'changes asked for': asked.size, 'in flight at its death': inFlight, 'start until it listens ms': listensAt - startedAt, 'start until all are shown ms': ms, 'not shown': unshown, verdict: verdict(ms, RESTART_BAR_MS, ' ms') }])
}
