import { retriedAtOnce } from '#model/node-pool/refusal.ts'
import type { Scope, Store } from '#ports/store.ts'

const PAGE_SIZE = 100
/** What a machine that goes may leave to others. */
const REFUSALS = [{ phase: 'Running', condition: 'StockOut' }, { phase: 'Running', condition: 'LimitedByQuota' }] as const

/**
 * Pools of an account in a region that were refused machines for want of stock or quota try again at once, as one was given back (status-rules.md, node pool 8). Machines that go together wake
 * them once: of a fleet that is taken down each would look through all of its pools.
 */
export function wakesRefused(store: Store): (scope: Scope, now: number) => Promise<void> {
  const soon = new Map<string, Promise<void>>()
  return (scope, now) => {
    const place = `${scope.accountId}/${scope.region}`
    const known = soon.get(place)
    if (known) return known
    const woken = new Promise<void>(resolve => { setImmediate(resolve) }).then(() => {
      soon.delete(place)
      return wake(store, scope, now)
    })
    soon.set(place, woken)
    return woken
  }
}

async function wake(store: Store, { accountId, region }: Scope, now: number): Promise<void> {
  const refused: string[] = []
  for (let number = 1; ; number++) {
    const { items, totalCount } = await store.listNodePools({ accountId, region }, { statuses: REFUSALS }, { number, size: PAGE_SIZE })
    refused.push(...items.filter(({ spec, facts }) => spec.scaling && facts.refused).map(({ id }) => id))
    if (number * PAGE_SIZE >= totalCount) break
  }
  for (const id of refused) {
    await store.write(now, async tx => {
      const pool = await tx.lockNodePool(id)
      if (!pool) return
      await tx.changeNodePool(id, { facts: retriedAtOnce(pool.facts, now) }, { evidence: [] })
      await tx.enqueue({ kind: 'node-pool', id, region })
    })
  }
}
