import type { ActionContext } from '../action.ts'

const PAGE_SIZE = 100

/** Pools that were refused machines try again at once. */
export async function wakeRefusedPools({ store, scope, now }: ActionContext): Promise<void> {
  for (let number = 1; ; number++) {
    const { items, totalCount } = await store.listNodePools(scope, {}, { number, size: PAGE_SIZE })
    const refused = items.filter(pool => pool.facts.refused !== undefined)
    if (refused.length > 0) {
      await store.write(now, async tx => {
        for (const { id } of refused) await tx.enqueue({ kind: 'node-pool', id, region: scope.region })
      })
    }
    if (number * PAGE_SIZE >= totalCount) return
  }
}
