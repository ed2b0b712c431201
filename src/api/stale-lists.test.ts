import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Page, Store } from '#ports/store.ts'
import type { HistoryFilter } from '#ports/store-filters.ts'
import { staleStore } from './stale-lists.ts'

const SCOPE = { accountId: 'a', region: 'r' }

test('whatever page of a stale list is read, it is that page of what was there', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 30 }), fc.integer({ min: -1, max: 21 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 9 }), async (instants, until, number, size) => {
    const made = instants.toSorted((one, other) => one - other).map(createdAt => ({ createdAt }))
    const paged = (all: typeof made, page: Page) => ({ items: all.slice((page.number - 1) * page.size, page.number * page.size), totalCount: all.length })
    const store = { listMachines: async (_scope: unknown, _filter: unknown, page: Page) => paged(made, page) } as unknown as Store
    assert.deepEqual(await staleStore(store, until).listMachines(SCOPE, {}, { number, size }), paged(made.filter(({ createdAt }) => createdAt <= until), { number, size }))
  }))
})

test('a stale history ends where it is stale, whatever end or instant is asked for', async () => {
  const store = { listHistory: async (_scope: unknown, filter: HistoryFilter) => filter } as unknown as Store
  const asked = (filter: HistoryFilter) => staleStore(store, 100).listHistory(SCOPE, filter, { number: 1, size: 1 }) as unknown as Promise<HistoryFilter>
  assert.deepEqual(await asked({ ids: ['c1'] }), { ids: ['c1'], to: 100 })
  assert.deepEqual(await asked({ to: 50 }), { to: 50 })
  assert.deepEqual(await asked({ to: 150, from: 120 }), { to: 100, from: 120 })
  assert.deepEqual(await asked({ at: 150 }), { at: 100, to: 100 })
  assert.deepEqual(await asked({ at: 50 }), { at: 50, to: 100 })
})
