import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { machineController, type MachinePorts } from '#controllers/machine/reconcile.ts'
import { takeDownLost } from '#controllers/machine/take-down-lost.ts'
import { machineEntry } from '#model/node/claim.ts'
import type { MachineRecord, Store } from '#ports/store.ts'
import { scratchPostgres } from '#store/testing/scratch-postgres.ts'
import { inTime, systemTime, until } from '#test/harness/waiting.ts'

const SCOPE = { accountId: 'a1', region: 'r1' }, NOW = Date.UTC(2026, 11, 1)
const OWNED_BY = { nodePoolId: 'p1', clusterId: 'c1' }
const CLAIM: MachineRecord & { readonly ownedBy: typeof OWNED_BY } = { id: 'm1', ...SCOPE, name: 'shop-1', address: '', power: 'off', link: 'up', createdAt: NOW, ownedBy: OWNED_BY }

const postgres = await scratchPostgres()
after(() => postgres.end())

async function begin(store: Store): Promise<void> {
  await store.write(NOW, async tx => {
    await tx.putRegion({ region: 'r1', kind: 'Simulated', ready: true, text: '', settings: {} })
    await tx.insertMachine(CLAIM)
    await tx.putLedger(machineEntry(CLAIM, 'Intended', NOW))
  })
}

test('a machine that is nobody\'s outlasts the process that made it and is killed, and goes by the next one', async t => {
  const opened = await postgres.openCopy(), { store, queue } = opened
  t.after(() => opened.close())
  await begin(store)
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '../harness/late-machine-process.ts'), postgres.stateDir, opened.databaseUrl, 'm1'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  t.after(() => { child.kill('SIGKILL') })
  await Promise.race([once(child.stdout, 'data'), ended.then(() => assert.fail('it ended by itself'))])
  child.kill('SIGKILL')
  await ended

  const { totalCount, items: [known] } = await store.listMachines(SCOPE, {}, { number: 1, size: 10 })
  assert.deepEqual([totalCount, known?.id, known?.ownedBy, known?.deletionRequestedAt !== undefined], [1, 'm1', undefined, true])
  const held = async () => (await store.ledgersOf(['m1'])).map(({ id, state }) => `${id} ${state}`)
  assert.deepEqual(await held(), ['l1 Releasing'])

  const gone: string[] = []
  const machines = { ensureGone: async (id: string) => { gone.push(id) }, look: async () => undefined }
  const controller = machineController({ store, newLedgerId: () => 'l9', regionOf: () => ({ clock: systemTime, machines }) } as unknown as MachinePorts)
  const lease = await queue.register({ name: 'next', hosts: [], ttlMs: 10_000 })
  const due = (await queue.due(lease, { region: 'r1', now: Date.now() + 60_000, limit: 10 })).filter(({ kind }) => kind === 'machine')
  assert.deepEqual(due.map(({ id }) => id), ['m1'])
  for (const { id } of due) await controller.reconcile(id, lease.lost)
  await lease.release()
  assert.deepEqual([gone, await store.findMachine('m1'), await held()], [['m1'], undefined, ['l1 Released']])
})

test('a claim that takes the id at the same moment keeps it', async t => {
  const opened = await postgres.openCopy(), { store } = opened
  t.after(() => opened.close())
  await begin(store)
  await store.write(NOW, tx => tx.forgetMachine('m1'))
  const inserted = Promise.withResolvers<void>(), mayCommit = Promise.withResolvers<void>()
  const again = { ...CLAIM, createdAt: NOW + 1 }
  const claiming = store.write(NOW, async tx => {
    await tx.insertMachine(again)
    await tx.lockMachine('m1') // waits for the row
    inserted.resolve()
    await mayCommit.promise
  })
  await inTime(inserted.promise, 'the claim to be inserted')
  const taking = takeDownLost([CLAIM], { store, newLedgerId: () => 'l9', regionOf: () => ({ clock: systemTime }) } as unknown as MachinePorts)
  await until(async () => (await opened.query<{ count: number }>("select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"))[0]?.count === 1)
  mayCommit.resolve()
  await Promise.all([claiming, taking])
  const machine = await store.findMachine('m1')
  assert.deepEqual([machine?.createdAt, machine?.deletionRequestedAt, machine?.ownedBy], [NOW + 1, undefined, OWNED_BY])
})
