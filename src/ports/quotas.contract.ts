import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MachineRefused, type MachineOrder, type Machines } from '#ports/machines.ts'
import type { RegionQuotas } from './quotas.ts'

/** What an implementation gives: the machines that are counted, and orders of them whose records are as they are when a machine is asked for. */
export interface QuotasUnderTest {
  readonly quotas: RegionQuotas
  readonly machines: Machines
  order(number: number, account: string): Promise<MachineOrder>
  /** A machine that somebody adds by hand. */
  own(number: number, account: string): Promise<MachineOrder>
  /** The machine that a server becomes instead of this one, which was kept when its node went, and goes once that one is there. */
  instead(old: MachineOrder, number: number, account: string): Promise<MachineOrder>
  /** It is made, and that is noted. */
  noteMade(order: MachineOrder, machineId: string): Promise<void>
  /** It is removed, and nothing of it is left. */
  remove(order: MachineOrder): Promise<void>
  close(): Promise<void>
}

/** The promises of the quotas' port, each for an account of its own. */
export function quotasContract(name: string, open: () => Promise<QuotasUnderTest>): void {
  describe(`quotas contract: ${name}`, () => {
    let parts: QuotasUnderTest
    before(async () => { parts = await open() })
    after(() => parts.close())
    let numbers = 0
    const fresh = () => {
      const account = `21000001${10 + ++numbers}`
      const order = () => parts.order(++numbers, account)
      const make = async (one: MachineOrder) => {
        await parts.noteMade(one, (await parts.machines.ensure(one)).machineId)
        return one
      }
      return { account, order, make, made: async () => make(await order()), shown: () => parts.quotas.quotas(account) }
    }
    const refusedBy = (text: RegExp) => (error: unknown) => error instanceof MachineRefused && error.as === 'LimitedByQuota' && text.test(error.message)

    test('without a quota there is no limit, and none is shown', async () => {
      const { made, shown } = fresh()
      for (let count = 0; count < 3; count++) await made()
      assert.deepEqual(await shown(), [])
    })

    test('beyond it a machine is refused in a sentence and nothing of it is made; once there is room it is made', async () => {
      const { account, order, make, made, shown } = fresh()
      await parts.quotas.setQuota('Machine', account, 1)
      await made()
      const more = await order()
      await assert.rejects(parts.machines.ensure(more), refusedBy(new RegExp(`^The account may have 1 of the kind Machine and has 1: the machine ${more.name} was not made$`)))
      assert.equal(await parts.machines.look(more.id), undefined)
      assert.deepEqual(await shown(), [{ kind: 'Machine', limit: 1, held: 1 }])
      await parts.quotas.setQuota('Machine', account, 2)
      await make(more)
      assert.deepEqual(await shown(), [{ kind: 'Machine', limit: 2, held: 2 }])
    })

    test('what was made before counts; a quota below that takes nothing away, and none of it is refused', async () => {
      const { account, order, made, shown } = fresh()
      const first = await made()
      await made()
      await parts.quotas.setQuota('Machine', account, 0)
      assert.deepEqual(await shown(), [{ kind: 'Machine', limit: 0, held: 2 }])
      assert.equal((await parts.machines.ensure({ ...first, power: 'off' })).power, 'off')
      assert.equal((await parts.machines.ensure(first)).power, 'on')
      await assert.rejects(parts.machines.ensure(await order()), refusedBy(/may have 0 of the kind Machine and has 2/))
    })

    test('what is gone leaves its place to another one', async () => {
      const { account, made, shown } = fresh()
      await parts.quotas.setQuota('Machine', account, 1)
      const one = await made()
      await parts.remove(one)
      assert.deepEqual(await shown(), [{ kind: 'Machine', limit: 1, held: 0 }])
      await made()
      assert.deepEqual(await shown(), [{ kind: 'Machine', limit: 1, held: 1 }])
    })

    test('one that takes the place of another needs none of its own, and leaves it to nobody while the other is there', async () => {
      const { account, order, make, made, shown } = fresh(), one = [{ kind: 'Machine', limit: 1, held: 1 }]
      await parts.quotas.setQuota('Machine', account, 1)
      const old = await made(), next = await parts.instead(old, ++numbers, account)
      await make(next)
      assert.deepEqual([await shown(), (await parts.machines.look(old.id))?.id], [one, old.id])
      await assert.rejects(parts.machines.ensure(await order()), refusedBy(/may have 1 of the kind Machine and has 1/))
      await parts.remove(next)
      assert.deepEqual(await shown(), one)
      const third = await make(await parts.instead(old, ++numbers, account))
      await parts.remove(old)
      assert.deepEqual(await shown(), one)
      await parts.remove(third)
      await made()
      const last = await made().catch((error: unknown) => error)
      assert.ok(refusedBy(/may have 1 of the kind Machine and has 1/)(last), 'each place is given back once')
    })

    test('where it is replaced itself, and goes before both, the place is the first one\'s again once the last one goes', async () => {
      const { account, make, made, shown } = fresh(), one = [{ kind: 'Machine', limit: 1, held: 1 }]
      await parts.quotas.setQuota('Machine', account, 1)
      const first = await made(), second = await make(await parts.instead(first, ++numbers, account)), third = await make(await parts.instead(second, ++numbers, account))
      await parts.remove(second)
      assert.deepEqual(await shown(), one)
      await parts.remove(third)
      assert.deepEqual([await shown(), (await parts.machines.look(first.id))?.id], [one, first.id])
      await parts.remove(first)
      assert.deepEqual(await shown(), [{ kind: 'Machine', limit: 1, held: 0 }])
    })

    test('one that takes the place of another is refused where the account may not even have that, which keeps its place and can be taken later', async () => {
      const { account, order, make, made, shown } = fresh(), one = (limit: number) => [{ kind: 'Machine', limit, held: 1 }]
      const old = await made()
      await parts.quotas.setQuota('Machine', account, 0)
      const next = await parts.instead(old, ++numbers, account)
      for (let times = 0; times < 2; times++) await assert.rejects(parts.machines.ensure(next), refusedBy(/may have 0 of the kind Machine and has 0/))
      assert.deepEqual([await shown(), (await parts.machines.look(old.id))?.power], [one(0), 'on'])
      await parts.quotas.setQuota('Machine', account, 1)
      await assert.rejects(parts.machines.ensure(await order()), refusedBy(/may have 1 of the kind Machine and has 1/))
      await make(next)
      await parts.remove(old)
      assert.deepEqual(await shown(), one(1))
    })

    test('of many at once only as many are made as there are places, and one that is asked for twice counts once', async () => {
      const { account, order, shown } = fresh()
      await parts.quotas.setQuota('Machine', account, 3)
      const orders = await Promise.all(Array.from({ length: 10 }, order))
      const outcomes = await Promise.allSettled([...orders, ...orders].map(one => parts.machines.ensure(one)))
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 6)
      assert.deepEqual(await shown(), [{ kind: 'Machine', limit: 3, held: 3 }])
      assert.equal((await Promise.all(orders.map(({ id }) => parts.machines.look(id)))).filter(seen => seen !== undefined).length, 3)
    })

    test('it is one account\'s own, and machines that are added by hand are no part of it', async () => {
      const { account, order } = fresh(), other = fresh()
      await parts.quotas.setQuota('Machine', account, 0)
      await other.made()
      assert.deepEqual(await other.shown(), [])
      await parts.machines.ensure(await parts.own(++numbers, account))
      await assert.rejects(parts.machines.ensure(await order()), refusedBy(/may have 0 of the kind Machine and has 0/))
    })

    test('each change is another supply, also back to what was; what is taken away is shown no more, and limits nothing', async () => {
      const { account, made, shown } = fresh()
      const supplies: (string | undefined)[] = [await parts.machines.supply?.()]
      for (const limit of [1, 2, 1, undefined]) {
        await parts.quotas.setQuota('Machine', account, limit)
        supplies.push(await parts.machines.supply?.())
      }
      assert.equal(new Set(supplies).size, 5)
      assert.deepEqual(await shown(), [])
      for (let count = 0; count < 2; count++) await made()
      assert.equal(await parts.machines.supply?.(), supplies.at(-1))
    })
  })
}
