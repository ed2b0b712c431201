import type { NodePoolRecord } from '#model/node-pool/record.ts'
import { retriedAtOnce } from '#model/node-pool/refusal.ts'
import type { MachineRecord, Scope, Store, Transaction, WorkKey } from './store.ts'
import type { StatusFilter } from './store-filters.ts'

const PAGE_SIZE = 1_000
/** What a pool that was refused machines may show: the refusal, or something that covers it. */
const SHOWN: readonly StatusFilter[] = [
  ...['StockOut', 'LimitedByQuota', 'Balance', 'ScalingFailed'].map(condition => ({ phase: 'Running', condition })), { phase: 'Scaling' }, { phase: 'Updating' }, { phase: 'Failed' },
]

/** Pools that wait for machines which they were refused, whatever they show meanwhile. */
export async function refusedPools(store: Pick<Store, 'listNodePools'>, { accountId, region }: Scope): Promise<readonly NodePoolRecord[]> {
  const found: NodePoolRecord[] = []
  for (let number = 1; ; number++) {
    const { items, totalCount } = await store.listNodePools({ accountId, region }, { refused: true, statuses: SHOWN }, { number, size: PAGE_SIZE })
    found.push(...items.filter(pool => pool.facts.deletion === undefined))
    if (number * PAGE_SIZE >= totalCount) return found
  }
}

/** The pool tries again at once to have what it was refused. It is locked with its cluster, so whoever holds machines already leaves this to a pass of its own. */
export async function retryRefused(tx: Transaction, { id, region }: Pick<NodePoolRecord, 'id' | 'region'>, now: number): Promise<void> {
  const pool = await tx.lockNodePool(id)
  if (!pool) return
  await tx.changeNodePool(id, { facts: retriedAtOnce(pool.facts, now) }, { evidence: [] })
  await tx.enqueue({ kind: 'node-pool', id, region })
}

/** A machine that was given back: whose it was, and the pool that had ordered it. */
export interface GivenBack extends Scope {
  readonly machineId: string
  readonly nodePoolId?: string
}

/** The key under which others hear of it. All that is to be known is in its id, since nothing else is left of the machine. */
export function givenBackKey({ id, accountId, region, ownedBy }: Pick<MachineRecord, 'id' | 'accountId' | 'region' | 'ownedBy'>): WorkKey & { readonly region: string } {
  return { kind: 'given-back', id: [accountId, region, ownedBy?.nodePoolId ?? '', id].join('/'), region }
}

export function givenBackBy(id: string): GivenBack {
  const [accountId = '', region = '', nodePoolId = '', machineId = ''] = id.split('/')
  return { accountId, region, machineId, ...(nodePoolId !== '' && { nodePoolId }) }
}
