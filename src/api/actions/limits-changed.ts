import { refusedPools, retryRefused } from '#ports/refused-pools.ts'
import type { ActionContext } from '../action.ts'

/** Pools that were refused machines try again at once. */
export async function wakeRefusedPools({ store, scope, now }: ActionContext): Promise<void> {
  for (const pool of await refusedPools(store, scope)) await store.write(now, tx => retryRefused(tx, pool, now))
}
