import type { NodePoolRecord } from '#model/node-pool/record.ts'
import { retriedAtOnce } from '#model/node-pool/refusal.ts'
import type { MachineRecord, Store } from '#ports/store.ts'

const PAGE_SIZE = 100
/** What a machine that goes may leave to others. */
const REFUSALS = [{ phase: 'Running', condition: 'StockOut' }, { phase: 'Running', condition: 'LimitedByQuota' }] as const

type Gone = Pick<MachineRecord, 'accountId' | 'region' | 'ownedBy' | 'machineId'>

/**
 * For each machine that was given back one pool of its account in its region, which was refused machines, tries again at once (status-rules.md, node pool 8): its own one first, then those that have waited longest. All
 * of them would only be refused once more. Machines that go at the same time share a look: of a fleet that is taken down each would look through all of its pools.
 */
export function wakesRefused(store: Store): (gone: Gone, now: number) => Promise<void> {
  const soon = new Map<string, { readonly gone: Gone[]; readonly woken: Promise<void> }>()
  return async (one, now) => {
    // What never was had leaves nothing to others, and a pool that tries one claim would try the next one at once for ever.
    if (one.machineId === undefined || (one.ownedBy && one.ownedBy.nodeId === undefined)) return
    const place = `${one.accountId}/${one.region}`
    const known = soon.get(place)
    if (known) {
      known.gone.push(one)
      return known.woken
    }
    const gone = [one]
    const woken = new Promise<void>(resolve => { setImmediate(resolve) }).then(() => {
      soon.delete(place)
      return wake(store, gone, now)
    })
    soon.set(place, { gone, woken })
    return woken
  }
}

async function wake(store: Store, gone: readonly Gone[], now: number): Promise<void> {
  const [first] = gone
  if (!first) return
  const { accountId, region } = first
  // Its own pool may show that a member of it goes, and not what it was refused.
  const own = await store.nodePoolsById([...new Set(gone.flatMap(({ ownedBy }) => ownedBy?.nodePoolId ?? []))])
  const refused = own.filter(isRefused)
  for (let number = 1; refused.length < gone.length; number++) {
    const { items, totalCount } = await store.listNodePools({ accountId, region }, { statuses: REFUSALS }, { number, size: PAGE_SIZE })
    refused.push(...items.filter(pool => isRefused(pool) && !own.some(({ id }) => id === pool.id)))
    if (number * PAGE_SIZE >= totalCount) break
  }
  const longest = refused.toSorted((one, other) => Number(own.includes(other)) - Number(own.includes(one)) || (one.facts.refused?.since ?? 0) - (other.facts.refused?.since ?? 0) || (one.id < other.id ? -1 : 1))
  for (const { id } of longest.slice(0, gone.length)) {
    await store.write(now, async tx => {
      const pool = await tx.lockNodePool(id)
      if (!pool) return
      await tx.changeNodePool(id, { facts: retriedAtOnce(pool.facts, now) }, { evidence: [] })
      await tx.enqueue({ kind: 'node-pool', id, region })
    })
  }
}

function isRefused({ spec, facts }: NodePoolRecord): boolean {
  return spec.scaling !== undefined && REFUSALS.some(({ condition }) => condition === facts.refused?.as)
}
