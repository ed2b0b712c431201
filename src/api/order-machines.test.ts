import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store, Transaction } from '#ports/store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { NOON, SCOPE } from '#test/harness/sample-records.ts'
import type { ActionContext } from './action.ts'
import { orderMachine } from './order-machines.ts'

test('orders that share a transaction are each answered as if they were alone', async () => {
  const memory = new MemoryStore()
  for (const id of ['one', 'sealed', 'other', 'leaving']) {
    await memory.write(NOON, tx => tx.insertMachine({ id, ...SCOPE, name: id, address: '', power: 'on', link: 'up', createdAt: NOON, ...(id === 'leaving' && { deletionRequestedAt: NOON }) }))
  }
  /** Of one machine nothing can be read. */
  const broken = (tx: Transaction): Transaction => new Proxy(tx, {
    get(target, name) {
      if (name === 'lockMachines' || name === 'lockFreeMachines') return async (ids: readonly string[]) => { if (ids.includes('sealed')) throw new Error('its secret does not open'); return await target[name](ids) }
      const own: unknown = Reflect.get(target, name, target)
      return typeof own === 'function' ? own.bind(target) as unknown : own
    },
  })
  const store = { write: (now: number, work: (tx: Transaction) => Promise<unknown>) => memory.write(now, tx => work(broken(tx))) } as unknown as Store
  const context = { store, scope: SCOPE, now: NOON } as unknown as ActionContext
  const first = orderMachine(context, { id: 'one', link: 'cut' })
  const answers = await Promise.allSettled([first, ...['one', 'sealed', 'other', 'leaving', 'nobody'].map(id => orderMachine(context, { id, power: 'off' }))])
  assert.deepEqual(answers.map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'rejected', 'rejected'])
  const reasons = answers.map(answer => (answer.status === 'rejected' ? String((answer.reason as Error).message) : ''))
  assert.match(reasons[2] ?? '', /does not open/)
  assert.match(reasons[4] ?? '', /being removed/)
  assert.match(reasons[5] ?? '', /nobody/)
  const machines = new Map((await memory.machinesById(['one', 'sealed', 'other', 'leaving'])).map(machine => [machine.id, machine]))
  assert.deepEqual(['one', 'sealed', 'other', 'leaving'].map(id => machines.get(id)?.power), ['off', 'on', 'off', 'on'])
})
