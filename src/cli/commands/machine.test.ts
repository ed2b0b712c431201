/** A script whose end nobody waits for at the server: the command looks until it knows, and no longer than that can take. */
import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import type { Machine } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { OwnTime } from '#test/harness/own-time.ts'
import { whatBecame } from './machine.ts'

const BEFORE: Machine = { Id: 'm1', Name: 'till-1', Power: 'on', Link: 'up', Address: '10.213.5.1', Made: true }
const BEGIN = Date.UTC(2026, 11, 1)

/** A region whose machine is so after so many seconds of a clock of that speed; 0: it is paused. */
async function became(became: Partial<Machine>, { afterMs, speed = 1, before = {} }: { readonly afterMs: number; readonly speed?: number; readonly before?: Partial<Machine> }) {
  const time = new OwnTime(), machine = { ...BEFORE, ...before }
  const client = {
    call: async () => ({ Now: new Date(BEGIN + time.at * speed).toISOString(), Speed: speed || 1, Paused: speed === 0 }),
    all: async () => [time.at >= afterMs ? { ...machine, ...became } : machine],
  } as unknown as EdgeholdClient
  told = []
  const { mock: writes } = mock.method(process.stderr, 'write', (text: string) => told.push(text) > 0)
  try {
    const { ExitCode, Output } = await whatBecame(client, machine, time)
    return [ExitCode, Output, time.at]
  } finally {
    writes.restore()
  }
}

/** What the last one was told beside. */
let told: string[] = []

const REFUSED = { Because: 'The join endpoint refused it: The script expired', ScriptFailedAt: '2026-12-01T00:00:02.000Z' }
const LONG_AGO = { Because: 'The join endpoint refused it: It was another one', ScriptFailedAt: '2026-11-30T00:00:00.000Z' }

test('a refusal is its end, and one of before is not', async () => {
  assert.deepEqual(await became(REFUSED, { afterMs: 2_000 }), [1, 'The join endpoint refused it: The script expired.', 2_000])
  assert.deepEqual(await became(REFUSED, { afterMs: 2_000, before: { ...LONG_AGO, NodeId: 'n1' } }), [1, 'The join endpoint refused it: The script expired.', 2_000])
  assert.deepEqual(await became({ NodeId: 'n1' }, { afterMs: 3_000, before: LONG_AGO }), [0, '', 3_000])
})

test('where nothing comes, it is looked for as long as a machine needs to come up, at a clock that stands still once', async () => {
  assert.deepEqual(await became({}, { afterMs: 0 }), [0, '', 20_500])
  assert.deepEqual(await became({}, { afterMs: 0, speed: 60 }), [0, '', 500])
  assert.deepEqual(await became({}, { afterMs: 0, speed: 0.1 }), [0, '', 30_500])
  assert.deepEqual(await became(REFUSED, { afterMs: 500, speed: 0 }), [0, '', 0])
})

test('of a machine that is a node already nothing is said to come: it stays the node that it is, unless the script is refused', async () => {
  const before = { NodeId: 'n1' }
  assert.deepEqual(await became({}, { afterMs: 0, before }), [0, '', 20_500])
  assert.match(told.join(''), /^The machine till-1 is a node already: nothing but a refusal .* up to 20 s .*\nThe machine till-1 is a node already and stays the same one: the script was not refused\. .*"edgehold list node"\.\n$/)
  assert.deepEqual(await became({}, { afterMs: 0, speed: 0, before }), [0, '', 0])
  assert.match(told.join(''), /^The script has begun, and goes on when the clock does\. The machine till-1 is a node already and stays the same one; "edgehold machine list" shows why where the script is refused\.\n$/)
  assert.deepEqual(await became({ NodeId: 'n2' }, { afterMs: 3_000, before }), [0, '', 3_000])
  assert.match(told.at(-1) ?? '', /was admitted/)
})
