import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askedAgainAt, lookedFor } from './looked-for.ts'
import type { MachinePassPorts } from './ports.ts'

const MINUTE = 60_000, DAY = 24 * 60 * MINUTE
const record = (id: string) => ({ id, region: 'r1', createdAt: 0 })

/** A provider that answers nothing for some machines, in a process whose store can be away. */
class Region {
  now = 0
  isStoreAway = false
  readonly silent = new Set<string>()
  readonly woken: string[] = []
  readonly ports = {
    unanswered: new Map(), woken: new Map(),
    store: {
      write: async (_now: number, work: (tx: unknown) => Promise<void>) => {
        if (this.isStoreAway) throw new Error('the store is away')
        await work({ enqueue: async ({ id }: { readonly id: string }) => { this.woken.push(id) } })
      },
    },
    regionOf: () => ({
      clock: { now: () => this.now },
      machines: { look: async (id: string) => { if (this.silent.has(id)) throw new Error('DescribeInstances: timeout') } },
    }),
  } as unknown as MachinePassPorts

  async look(id: string): Promise<boolean> {
    return (await lookedFor(record(id), this.ports)).answers
  }
}

test('where the store does not answer as the others are woken the look ends as ever, and the next one wakes them, once', async () => {
  const region = new Region()
  for (const id of ['a', 'b']) {
    region.silent.add(id)
    assert.equal(await region.look(id), false)
  }
  region.isStoreAway = true
  assert.equal(await region.look('c'), true)
  region.isStoreAway = false
  for (let times = 1; times <= 2; times++) await region.look('c')
  assert.deepEqual(region.woken, ['a', 'b'])
})

test('a machine for which its provider does not answer is woken ever more seldom by its answers for others, and at once again after it was answered for', async () => {
  const region = new Region()
  region.silent.add('a')
  let looks = 0, ownTimes = 0, dueAt = 0
  const live = async (until: number) => {
    for (; region.now < until; region.now += MINUTE) {
      await region.look('c')
      const isWoken = region.woken.splice(0).includes('a'), isOwn = region.now >= dueAt
      if (!isWoken && !isOwn) continue
      looks += 1
      if (!isWoken) ownTimes += 1
      await region.look('a')
      dueAt = askedAgainAt(record('a'), region.ports)
    }
  }
  await live(DAY)
  assert.ok(looks > 20 && looks - ownTimes > 0 && looks - ownTimes <= 10, `${looks} looks, ${ownTimes} at its own times`)
  region.silent.delete('a')
  await region.look('a')
  region.silent.add('a')
  await region.look('a')
  await region.look('c')
  assert.deepEqual(region.woken, ['a'])
})
