/** Nodes of a fleet that are changed by signed calls, and when they show it: at a steady pace, and over the death of the server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OpenStore } from '#store/open.ts'
import { runProgram } from '#test/harness/command.ts'
import { Caller } from './simulated-client.ts'
import type { PacedCall, PacedOrder, PacedSeen } from './paced-calls.ts'
import type { Signer } from './signed-requests.ts'
import { percentile, printTable, verdict } from './table.ts'

const A_SECOND = Number(process.env['BENCH_CHANGES_A_SECOND'] ?? 1_000)
const SECONDS = Number(process.env['BENCH_CHANGES_SECONDS'] ?? 60)
const WARM_UP_SECONDS = 5
const IN_FLIGHT = Number(process.env['BENCH_IN_FLIGHT'] ?? 1_000)
const LOOK_EVERY_MS = 10
/** Before somebody uncordons it. */
const CORDONED_SECONDS = 10
const PATIENCE_MS = 120_000
/** A number that nobody has shown for so long was drawn by a transaction that failed. */
const LONGEST_TRANSACTION_MS = 30_000
const BAR_MS = 250, RESTART_BAR_MS = 5_000
const CONNECTIONS = 32, PACED_CONNECTIONS = 200
/** Of the pace that was wanted. */
const HELD_SHARE = 0.98

/** What is changed of a node, by a call after which its status follows at once. */
interface Change { readonly id: string; readonly call: PacedCall; /** How its row of the history shows it. */ readonly shows: string }

type Kind = 'switched off' | 'cordoned' | 'uncordoned'

/** Calls back with each thing that a node shows anew in the history, as any reader of the database sees it: rows come with their transactions, and those of one that began earlier may come later, so what was passed over is asked for again. */
async function follow(opened: OpenStore, seen: (shown: string) => void, signal: AbortSignal): Promise<void> {
  const [last] = await opened.query<{ ordinal: number }>('select coalesce(max(ordinal), 0) as ordinal from status_change')
  let ordinal = last?.ordinal ?? 0
  const passedOver = new Map<number, number>()
  while (!signal.aborted) {
    const now = performance.now()
    const rows = await opened.query<{ ordinal: number; kind: string; id: string; phase: string; conditions: readonly string[] }>(
      `select ordinal, kind, id, phase, conditions from status_change where ordinal > $1 or ordinal = any($2::bigint[]) order by ordinal`, [ordinal, [...passedOver.keys()]],
    )
    for (const { ordinal: found, kind, id, phase, conditions } of rows) {
      passedOver.delete(found)
      for (let missing = ordinal + 1; missing < found; missing++) passedOver.set(missing, now)
      ordinal = Math.max(ordinal, found)
      if (kind === 'Node') seen(`${id} ${phase} ${conditions.join()}`)
    }
    for (const [missing, since] of passedOver) if (now - since > LONGEST_TRANSACTION_MS) passedOver.delete(missing)
    await sleep(LOOK_EVERY_MS)
  }
}

async function someNodes(opened: OpenStore, count: number): Promise<readonly string[]> {
  return (await opened.query<{ id: string }>(`select id from node_status where phase = 'Running' and conditions = array['Ok'] order by random() limit $1`, [count])).map(({ id }) => id)
}

/** The machine that a pool ordered for a node. */
const machineOf = (nodeId: string): string => `m${nodeId.slice(1)}`

function change(id: string, kind: Kind): Change {
  switch (kind) {
    case 'switched off': return { id, call: { action: 'SetMachine', body: { Id: machineOf(id), Power: 'off' } }, shows: `${id} Failed NotReady` }
    case 'cordoned': return { id, call: { action: 'SetNodeSchedulable', body: { Id: id, Schedulable: false } }, shows: `${id} Running Unschedulable` }
    case 'uncordoned': return { id, call: { action: 'SetNodeSchedulable', body: { Id: id, Schedulable: true } }, shows: `${id} Running Ok` }
  }
}

/** Each of a kind that chance chose among those that a node is there for, of a node that chance chose; one is uncordoned no sooner than it has been cordoned for a while. */
function randomChanges(nodes: readonly string[], kinds: readonly Kind[]): readonly Change[] {
  const cordoned: string[] = [], changes: Change[] = []
  for (const id of nodes) {
    const before = changes.at(-A_SECOND * CORDONED_SECONDS)
    if (before?.shows.endsWith('Unschedulable')) cordoned.push(before.id)
    const possible = kinds.filter(kind => kind !== 'uncordoned' || cordoned.length > 0), kind = possible[Math.floor(Math.random() * possible.length)] ?? 'switched off'
    changes.push(change(kind === 'uncordoned' ? cordoned.splice(Math.floor(Math.random() * cordoned.length), 1)[0] ?? id : id, kind))
  }
  return changes
}

/** A thousand random changes a second, of the kinds whose status follows at once. */
export function measureChanges(opened: OpenStore, signer: Signer): Promise<void> {
  return measure(opened, signer, ['switched off', 'cordoned', 'uncordoned'])
}

/** The dearest change alone: while they go on, Kubernetes notices the silence of those that were switched off forty seconds before, each a second change of the same node. */
export function measureSwitchedOff(opened: OpenStore, signer: Signer): Promise<void> {
  return measure(opened, signer, ['switched off'])
}

async function measure(opened: OpenStore, signer: Signer, kinds: readonly Kind[]): Promise<void> {
  const stop = new AbortController(), shownAt = new Map<string, number>()
  // As fast as everybody's clock: a fleet at sixty times that would tell of the same machines again within the second, when their silence is noticed.
  const clock = new Caller(signer, 1), { Speed } = await clock.call('GetClock', {})
  await clock.call('SetClock', { Speed: 1 })
  const changes = randomChanges(await someNodes(opened, A_SECOND * (WARM_UP_SECONDS + SECONDS)), kinds), warm = A_SECOND * WARM_UP_SECONDS, measured = changes.slice(warm)
  const following = follow(opened, shown => { if (!shownAt.has(shown)) shownAt.set(shown, performance.timeOrigin + performance.now()) }, stop.signal)
  const { dueAt, took } = await sendPaced({ signer, calls: changes.map(({ call }) => call), aSecond: A_SECOND, connections: PACED_CONNECTIONS })
  for (const end = performance.now() + PATIENCE_MS; measured.some(({ shows }) => !shownAt.has(shows)) && performance.now() < end;) await sleep(LOOK_EVERY_MS)
  stop.abort()
  await following
  await clock.call('SetClock', { Speed })
  const called = took.slice(warm)
  const shown = measured.flatMap(({ shows }, index) => { const at = shownAt.get(shows); return at === undefined ? [] : [at - (dueAt[warm + index] ?? 0)] })
  const answered = dueAt.map((at, number) => at + (took[number] ?? 0)), held = measured.length / ((Math.max(...answered.slice(warm)) - (dueAt[warm] ?? 0)) / 1000)
  const isHeld = shown.length === measured.length && held >= HELD_SHARE * A_SECOND
  printTable(`sim: nodes ${kinds.join(', ')} by chance, ${A_SECOND} a second wanted for ${SECONDS} s, after ${WARM_UP_SECONDS} s of the same`, [{
    'changes a second': held, 'call p50 ms': percentile(called, 50), 'call p99 ms': percentile(called, 99), 'shown p50 ms': percentile(shown, 50), 'shown p99 ms': percentile(shown, 99), 'slowest ms': Math.max(...shown), 'not shown': measured.length - shown.length,
    verdict: isHeld ? verdict(percentile(shown, 99), BAR_MS, ' ms') : 'MISSED: the pace was not held, or not all was shown',
  }])
}

async function sendPaced(order: PacedOrder): Promise<PacedSeen> {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-paced-')), file = join(folder, 'order.json')
  try {
    writeFileSync(file, JSON.stringify(order))
    const ran = await runProgram(process.execPath, [join(import.meta.dirname, 'paced-calls.ts'), file], { deadlineMs: 1_000 * order.calls.length / order.aSecond + PATIENCE_MS })
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
  const left = async () => (await opened.query<{ id: string }>(`select id from node_status where id = any($1::text[]) and phase = 'Running'`, [[...asked]])).length
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
