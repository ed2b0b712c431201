import assert from 'node:assert/strict'
import { test } from 'node:test'
import { machineEntry } from '#model/node/claim.ts'
import type { MachineRecord, Scope } from '#ports/store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import type { MachinePorts } from './ports.ts'
import { machineController } from './reconcile.ts'

const NOW = Date.UTC(2026, 11, 1), LATER = NOW + 1_000, SCOPE: Scope = { accountId: 'a1', region: 'r1' }
const PAGE = { number: 1, size: 10 }
const ENTRY = { kind: 'Machine', because: 'It was made when its record was gone already', deleteProtected: false }

type Owned = MachineRecord & { readonly ownedBy: NonNullable<MachineRecord['ownedBy']> }
type Meanwhile = (store: MemoryStore, id: string) => Promise<void>

function machine(id: string, more: Partial<MachineRecord> = {}): Owned {
  return { id, ...SCOPE, name: id, address: '10.0.0.2', power: 'on', link: 'up', createdAt: NOW, ownedBy: { nodeId: `n-${id}`, nodePoolId: 'p1', clusterId: 'c1' }, ...id !== 'm-new' && { machineId: `i-${id}` }, ...more }
}

/** As another process does, which has taken it down. */
async function forget(store: MemoryStore, id: string): Promise<void> {
  await store.write(NOW, async tx => {
    await tx.putLedger(machineEntry(machine(id), 'Released', NOW))
    await tx.forgetMachine(id)
  })
}

/** A process over a world of machines; `making` and `removing` happen at those calls. */
class Process {
  readonly store = new MemoryStore()
  readonly world = new Set<string>()
  readonly #controller
  making: Meanwhile = async () => {}
  removing: Meanwhile = async () => {}
  /** After the provider has seen what it answers. */
  looked: () => Promise<void> = async () => {}

  constructor() {
    const machines = {
      ensure: async ({ id }: { readonly id: string }) => {
        this.world.add(id)
        await this.making(this.store, id)
        return { id, power: 'on', link: 'up', powerSince: NOW, machineId: `i-${id}` }
      },
      ensureGone: async (id: string) => {
        await this.removing(this.store, id)
        this.world.delete(id)
      },
      look: async (id: string) => {
        const seen = this.world.has(id) ? { id, power: 'on', link: 'up', powerSince: NOW, machineId: `i-${id}` } : undefined
        await this.looked()
        return seen
      },
    }
    this.#controller = machineController({ store: this.store, newLedgerId: () => 'l-own', regionOf: () => ({ clock: { now: () => LATER }, machines }) } as unknown as MachinePorts)
  }

  async begin(records: readonly MachineRecord[]): Promise<void> {
    await this.store.write(NOW, async tx => {
      await tx.putRegion({ region: 'r1', kind: 'Local', ready: true, text: '', settings: {} })
      for (const one of records) {
        await tx.insertMachine(one)
        if (one.ownedBy) await tx.putLedger(machineEntry({ ...one, ownedBy: one.ownedBy }, one.machineId === undefined ? 'Intended' : 'Held', NOW))
      }
    })
  }

  async pass(...ids: string[]): Promise<unknown> {
    const { signal } = new AbortController()
    try {
      for (const id of ids) await this.#controller.reconcile(id, signal)
      return undefined
    } catch (error) {
      return error
    }
  }

  async passTogether(...ids: string[]): Promise<void> {
    await this.#controller.reconcileMany?.(ids, new AbortController().signal)
  }

  /** Keys that are due, as `machine/m1`. */
  async due(): Promise<readonly string[]> {
    const lease = await this.store.queue.register({ name: 'looks', hosts: [], ttlMs: 1_000 })
    const due = await this.store.queue.claim(lease, { limit: 10, now: () => LATER, realNow: LATER })
    await lease.release()
    return due.map(({ kind, id }) => `${kind}/${id}`)
  }

  async ledger(): Promise<readonly unknown[]> {
    return (await this.store.listLedger(SCOPE, { states: ['Intended', 'Held', 'Releasing', 'Released'] }, PAGE)).items.map(({ id, providerId, owner, state }) => [id, providerId, owner.kind, state])
  }
}

test('machines whose records went while they were made are their account\'s own and asked to go, with a key each, and keep none that was made from being noted', async () => {
  const process = new Process()
  await process.begin(['m1', 'm2', 'm-new'].map(id => machine(id)))
  process.making = async (store, id) => { if (id !== 'm-new') await forget(store, id) }
  await process.passTogether('m1', 'm2', 'm-new')
  const leaving = (id: string) => ({ id, ...SCOPE, name: id, address: '', power: 'on', link: 'up', createdAt: LATER, deletionRequestedAt: LATER, machineId: `i-${id}` })
  assert.deepEqual([await process.store.findMachine('m1'), await process.store.findMachine('m2')], [leaving('m1'), leaving('m2')])
  assert.equal((await process.store.findMachine('m-new'))?.machineId, 'i-m-new')
  const { items } = await process.store.listLedger(SCOPE, { ownerIds: ['m1'] }, PAGE)
  assert.deepEqual(items, [{ id: 'l1', ...SCOPE, ...ENTRY, providerId: 'm1', clusterId: 'c1', owner: { kind: 'Machine', id: 'm1', name: 'm1' }, state: 'Releasing', since: LATER, power: 'on' }])
  assert.deepEqual((await process.due()).filter(key => key.startsWith('machine/')).toSorted(), ['machine/m1', 'machine/m2'])
})

test('one that cannot be taken down stays known and is tried again until it is gone; why is told meanwhile', async () => {
  const process = new Process()
  await process.begin([machine('m1')])
  process.making = forget
  await process.pass('m1')
  let refusals = 5
  process.removing = async () => { if (refusals-- > 0) throw new Error('TerminateInstances: timeout') }
  for (let nth = 1; nth <= 5; nth++) {
    assert.match(String(await process.pass('m1')), /TerminateInstances: timeout/)
    const known = await process.store.findMachine('m1')
    assert.deepEqual([known?.deletionRequestedAt, known?.obstacle, await process.ledger()], [LATER, { because: 'The machine m1 (m1) could not be removed: ensureGone failed: TerminateInstances: timeout', at: LATER }, [['l1', 'm1', 'Machine', 'Releasing']]])
  }
  assert.equal(await process.pass('m1'), undefined)
  assert.deepEqual([[...process.world], await process.store.findMachine('m1'), await process.ledger()], [[], undefined, [['l1', 'm1', 'Machine', 'Released']]])
})

const { machineId: _not, ...unseen } = machine('m1'), { ownedBy: _pool, ...own } = machine('m1')
const HALF_MADE: readonly { readonly name: string; readonly given: MachineRecord; readonly together?: true }[] = [
  { name: 'a machine that a pool ordered', given: { ...unseen, createdAt: LATER } },
  { name: 'one that it had before', given: machine('m1') },
  { name: 'one of many that it had before', given: machine('m1'), together: true },
  { name: 'one that a user added', given: own },
]
for (const { name, given, together } of HALF_MADE) test(`${name}, whose record went while its making failed half way, is taken down`, async () => {
  const process = new Process()
  await process.begin([given])
  if (!given.ownedBy) await process.pass('m1') // its intent
  process.making = async (store, id) => {
    await forget(store, id)
    throw new Error('RunInstances: the connection was lost')
  }
  if (together) await process.passTogether('m1')
  else await process.pass('m1')
  assert.deepEqual([[...process.world], (await process.store.findMachine('m1'))?.deletionRequestedAt], [['m1'], LATER])
  await process.pass('m1')
  assert.deepEqual([[...process.world], await process.store.findMachine('m1')], [[], undefined])
})

test('one whose name was taken since is known by its id', async () => {
  const process = new Process()
  await process.begin([machine('m1', { name: 'shop' })])
  process.making = async (store, id) => {
    await forget(store, id)
    await store.write(NOW, tx => tx.insertMachine(machine('m9', { name: 'shop' })))
  }
  await process.pass('m1')
  assert.equal((await process.store.findMachine('m1'))?.name, 'm1')
})

test('what was made in a region that is gone is left to its end', async () => {
  const process = new Process()
  await process.begin([machine('m1')])
  process.making = store => store.write(NOW, tx => tx.forgetRegion('r1'))
  assert.equal(await process.pass('m1'), undefined)
  assert.equal(await process.store.findMachine('m1'), undefined)
})

/** The id of a bare claim is taken again once it is gone. */
const { nodeId: _none, ...bareOwner } = machine('m1').ownedBy
const claimedAgain: Owned = { ...machine('m1'), createdAt: NOW + 500, ownedBy: bareOwner, power: 'off' }
const takeAgain: Meanwhile = async (store, id) => {
  await forget(store, id)
  const { machineId: _unknown, ...record } = claimedAgain
  await store.write(NOW + 500, async tx => {
    await tx.insertMachine(record)
    await tx.putLedger(machineEntry(record as Owned, 'Intended', NOW + 500))
  })
}

test('a claim that has the id of a machine that another process finished late is no record of that machine: it is tried anew', async () => {
  const process = new Process()
  const { machineId: _unknown, ...first } = { ...claimedAgain, createdAt: NOW }
  await process.begin([first])
  process.making = takeAgain
  await process.pass('m1')
  const claim = await process.store.findMachine('m1')
  assert.deepEqual([claim?.createdAt, claim?.machineId, claim?.deletionRequestedAt], [NOW + 500, undefined, LATER])
  assert.deepEqual(await process.due(), ['machine/m1'])
})

for (const { name, given } of [
  { name: 'that a pool ordered', given: machine('m1', { deletionRequestedAt: NOW }) },
  { name: "of its account's own", given: { ...own, deletionRequestedAt: NOW } },
]) test(`a process that takes down a machine ${name} late forgets no claim that has its id, and has what it took made again`, async () => {
  const process = new Process()
  await process.begin([given])
  process.world.add('m1')
  process.removing = takeAgain
  await process.pass('m1')
  assert.equal((await process.store.findMachine('m1'))?.createdAt, NOW + 500)
  assert.deepEqual(await process.due(), ['machine/m1'])
})

for (const { name, given } of [
  { name: 'that a pool ordered', given: machine('m1', { deletionRequestedAt: NOW }) },
  { name: "of its account's own", given: { ...own, deletionRequestedAt: NOW } },
]) test(`a machine ${name} that another process finished between the last look of its removal and the end of its record is taken down, also where nobody tells of it any more`, async () => {
  const process = new Process()
  await process.begin([given])
  let isMade = false
  process.looked = async () => {
    if (!isMade) process.world.add('m1')
    isMade = true
  }
  assert.equal(await process.pass('m1'), undefined)
  const known = await process.store.findMachine('m1')
  assert.deepEqual([[...process.world], known?.createdAt, known?.deletionRequestedAt, (await process.ledger()).length], [['m1'], LATER, LATER, 1])
  assert.equal(await process.pass('m1'), undefined)
  assert.deepEqual([[...process.world], await process.store.findMachine('m1')], [[], undefined])
})

test('a removal has ended, also where its provider does not answer the look after it', async () => {
  const process = new Process()
  await process.begin([machine('m1', { deletionRequestedAt: NOW })])
  let looks = 0
  process.looked = async () => { if (++looks === 2) throw new Error('DescribeInstances: timeout') }
  assert.equal(await process.pass('m1'), undefined)
  assert.deepEqual([looks, await process.store.findMachine('m1')], [2, undefined])
})
