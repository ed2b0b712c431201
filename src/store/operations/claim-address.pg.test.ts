import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Store, Transaction } from '#ports/store.ts'
import { NOON, SCOPE } from '#test/harness/sample-records.ts'
import { scratchPostgres, type ScratchPostgres } from '../testing/scratch-postgres.ts'

const WIDE = { first: '100.68.0.1', last: '100.127.255.254' }, NARROW = { first: '10.213.0.1', last: '10.213.15.254' }
const owners = (mark: string, count: number) => Array.from({ length: count }, (_, index) => `${mark}-${index}`)

let postgres: ScratchPostgres
before(async () => { postgres = await scratchPostgres() })
after(() => postgres.end())

test('claims of many addresses of a wide range that meet do not wait for each other, and get different ones', async () => {
  const { store, close } = await postgres.openCopy()
  const all = await store.write(NOON, async one => {
    const first = await one.claimAddresses('r', owners('a', 40), WIDE)
    // Both are under way.
    const second = await store.write(NOON, two => two.claimAddresses('r', owners('b', 40), WIDE))
    return [first, second]
  })
  assert.deepEqual(all.map(([first]) => first), ['100.68.0.1', '100.83.0.0'])
  // The lowest ones again, once nobody holds them; a release is found in its part.
  await store.write(NOON, tx => tx.releaseAddress('r', 'b-3'))
  const third = await store.write(NOON, async tx => [...await tx.claimAddresses('r', owners('c', 40), WIDE), await tx.claimAddress('r', 'd', WIDE)])
  assert.deepEqual([third[0], third.at(-1)], ['100.68.0.41', '100.68.0.81'])
  const fourth = await store.write(NOON, async one => {
    await one.claimAddress('r', 'e', WIDE)
    return store.write(NOON, two => two.claimAddresses('r', owners('f', 40), WIDE))
  })
  assert.deepEqual(fourth.slice(0, 2), ['100.83.0.3', '100.83.0.40'])
  // One of them was given back and taken again.
  assert.equal(new Set([...all.flat(), ...third, ...fourth]).size, 160)
  await close()
})

test('those who want an address of their own in one transaction get one each, and the one that they have', async () => {
  const { store, close } = await postgres.openCopy()
  for (const [range, count] of [[NARROW, 3], [WIDE, 40]] as const) {
    const had = await store.write(NOON, tx => tx.claimAddress('r', `${count}-1`, range))
    const all = await store.write(NOON, tx => Promise.all([...owners(String(count), count), `${count}-2`].map(owner => tx.claimAddress('r', owner, range))))
    assert.deepEqual([all[1], all[2], new Set(all).size], [had, all.at(-1), count])
    assert.ok(all.every(address => address !== undefined))
  }
  const small = { first: '10.9.9.1', last: '10.9.9.2' }
  assert.deepEqual(await store.write(NOON, tx => Promise.all(['x', 'y', 'z'].map(owner => tx.claimAddress('r', owner, small)))), ['10.9.9.1', '10.9.9.2', undefined])
  await close()
})

test('an address that is given back behind the search while somebody claims is found before nothing is said to be free', async () => {
  const { store, query, close } = await postgres.openCopy()
  const small = { first: '10.9.8.1', last: '10.9.8.4' }
  await store.write(NOON, tx => tx.claimAddresses('r', owners('a', 4), small))
  for (const [number, claim] of [['1', async () => store.write(NOON, tx => tx.claimAddress('r', 'b', small))], ['2', async () => (await store.write(NOON, tx => tx.claimAddresses('r', ['c'], small)))[0]]] as const) {
    // As a release leaves it that a claim did not see yet.
    await query(`delete from address where owner = $1`, [`a-${number}`])
    assert.equal(await claim(), `10.9.8.${Number(number) + 1}`)
    assert.equal(await store.write(NOON, tx => tx.claimAddress('r', 'nobody', small)), undefined)
  }
  await close()
})

test('a range is given out whole, part by part, and no further', async () => {
  const { store, close } = await postgres.openCopy()
  // The smallest that has parts, and all of it but a few addresses is taken.
  const range = { first: '10.0.0.0', last: '10.0.255.255' }
  await store.write(NOON, tx => tx.claimAddresses('r', owners('a', 65_530), range))
  const left = await store.write(NOON, async tx => [...await tx.claimAddresses('r', owners('b', 3), range), await tx.claimAddress('r', 'c', range), ...await tx.claimAddresses('r', owners('d', 40), range), await tx.claimAddress('r', 'e', range)])
  assert.deepEqual(left, ['10.0.255.250', '10.0.255.251', '10.0.255.252', '10.0.255.253', '10.0.255.254', '10.0.255.255', undefined])
  await store.write(NOON, tx => tx.releaseAddress('r', 'a-20000'))
  assert.equal(await store.write(NOON, tx => tx.claimAddress('r', 'f', range)), '10.0.78.32')
  await close()
})

test('in a range that is not wide claims take their turn, so that they are the lowest ones', async () => {
  const { store, close } = await postgres.openCopy()
  const both = await Promise.all(['a', 'b'].map(mark => store.write(NOON, tx => tx.claimAddresses('r', owners(mark, 40), NARROW))))
  assert.deepEqual(new Set(both.map(([first]) => first)), new Set(['10.213.0.1', '10.213.0.41']))
  await close()
})

/** Runs both at once; how often they were run in all: one that PostgreSQL ends, as each waits for the other, is run again. */
async function runsOf(store: Store, works: readonly ((tx: Transaction) => Promise<unknown>)[]): Promise<number> {
  let runs = 0
  await Promise.all(works.map(work => store.write(NOON, async tx => {
    runs++
    await work(tx)
  })))
  return runs
}

test('who claims an address and then wants a machine, and who has that one and gives its address back, wait for each other in no ring', async () => {
  const { store, close } = await postgres.openCopy()
  const address = await store.write(NOON, tx => tx.claimAddress('r', 'm', NARROW)) ?? ''
  await store.write(NOON, tx => tx.insertMachine({ id: 'm', accountId: SCOPE.accountId, region: 'r', name: 'm', address, power: 'on', link: 'up', createdAt: NOON }))
  const locked = Promise.withResolvers<void>(), claimed = Promise.withResolvers<void>()
  const runs = await runsOf(store, [
    async tx => {
      await locked.promise
      await tx.claimAddress('r', 'n', NARROW)
      claimed.resolve()
      await tx.lockMachine('m')
    },
    async tx => {
      await tx.lockMachine('m')
      locked.resolve()
      await claimed.promise
      await tx.releaseAddress('r', 'm')
      await tx.forgetMachine('m')
    },
  ])
  assert.equal(runs, 2)
  const rest = await store.write(NOON, tx => Promise.all(['o', 'p'].map(owner => tx.claimAddress('r', owner, NARROW))))
  assert.equal(new Set(rest).size, 2)
  await close()
})

test('who gives an address back and claims one, and who claims another meanwhile, wait for each other in no ring', async () => {
  const { store, close } = await postgres.openCopy()
  await store.write(NOON, tx => tx.claimAddresses('r', ['a', 'b'], NARROW))
  const released = Promise.withResolvers<void>(), claims = Promise.withResolvers<void>()
  const runs = await runsOf(store, [
    async tx => {
      await tx.releaseAddress('r', 'a')
      released.resolve()
      await claims.promise
      await tx.claimAddress('r', 'c', NARROW)
    },
    async tx => {
      await released.promise
      // It has that one, and is the one who claims from now on.
      await tx.claimAddress('r', 'b', NARROW)
      claims.resolve()
      await tx.claimAddress('r', 'd', NARROW)
    },
  ])
  assert.equal(runs, 2)
  assert.equal(await store.write(NOON, tx => tx.claimAddress('r', 'e', NARROW)), '10.213.0.1')
  await close()
})

test('of many that are given back in one transaction the lowest is found first, in each part of a wide range', async () => {
  const { store, close } = await postgres.openCopy()
  await store.write(NOON, async one => {
    await one.claimAddresses('r', owners('a', 40), WIDE)
    await store.write(NOON, two => two.claimAddresses('r', owners('b', 40), WIDE))
  })
  await store.write(NOON, async tx => { for (const owner of ['a-7', 'b-9', 'a-3', 'b-2']) await tx.releaseAddress('r', owner) })
  const again = await store.write(NOON, async one => {
    const first = await one.claimAddresses('r', owners('c', 40), WIDE)
    return [first[0], first[1], ...(await store.write(NOON, two => two.claimAddresses('r', owners('d', 40), WIDE))).slice(0, 2)]
  })
  assert.deepEqual(again, ['100.68.0.4', '100.68.0.8', '100.83.0.2', '100.83.0.9'])
  await close()
})

test('where the first part of a wide range is full, no claim goes through it from its beginning while others have free addresses', async () => {
  const { store, query, databaseUrl, close } = await postgres.openCopy()
  const range = { first: '10.0.0.0', last: '10.0.255.255' }
  await postgres.run(databaseUrl, `insert into address (region, address, owner) select 'r', '10.0.0.0'::inet + n, 'x-' || n from generate_series(0, 16383) n`)
  const searched = () => query(`select host(next) as next from address_search where first = '10.0.0.0'`), end = [{ next: '10.0.64.0' }]
  const claim = (owner: string) => store.write(NOON, tx => tx.claimAddress('r', owner, range))
  const claimed = [await claim('a')]
  assert.deepEqual(await searched(), end)
  claimed.push(await claim('b'), ...await store.write(NOON, tx => tx.claimAddresses('r', ['c'], range)))
  assert.deepEqual(await searched(), end)
  // One that is given back and taken again leaves the rest of the part to nobody's search.
  await store.write(NOON, tx => tx.releaseAddress('r', 'x-7'))
  claimed.push(await claim('d'), await claim('e'))
  assert.deepEqual(await searched(), end)
  assert.deepEqual(claimed, ['10.0.64.0', '10.0.64.1', '10.0.64.2', '10.0.0.7', '10.0.64.3'])
  await close()
})
