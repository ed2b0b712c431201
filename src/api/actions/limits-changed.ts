import { retriedAtOnce } from '#model/node-pool/refusal.ts'
import type { ActionContext } from '../action.ts'

const PAGE_SIZE = 100

/** Pools that were refused machines try again at once. */
export async function wakeRefusedPools({ store, scope, now }: ActionContext): Promise<void> {
  for (let number = 1; ; number++) {
    const { items, totalCount } = await store.listNodePools(scope, {}, { number, size: PAGE_SIZE })
    for (const { id } of items.filter(pool => pool.facts.refused !== undefined)) {
      await store.write(now, async tx => {
        const pool = await tx.lockNodePool(id)
        if (!pool) return
        await tx.changeNodePool(id, { facts: retriedAtOnce(pool.facts, now) }, { evidence: [] })
        await tx.enqueue({ kind: 'node-pool', id, region: scope.region })
      })
    }
    if (number * PAGE_SIZE >= totalCount) return
  }
}
