import type { Scope, Store } from '#ports/store.ts'
import { addCluster, addNodePool, NOON } from './sample-records.ts'

/** Scopes that no other test of a suite uses, for suites whose tests share one store; marks begin with those letters. */
export function freshScopes(store: () => Store, letters: string) {
  let scopes = 0
  /** A scope, and a mark for ids. */
  const fresh = () => {
    scopes += 1
    return { scope: { accountId: `account-${letters}${scopes}`, region: 'sim-1' } satisfies Scope, mark: `${letters}${scopes}` }
  }
  /** With a cluster and a pool. */
  const grow = async () => {
    const { scope, mark } = fresh()
    const ids = await store().write(NOON, async tx => {
      const clusterId = await addCluster(tx, `${mark}-shop`, scope)
      return { clusterId, nodePoolId: await addNodePool(tx, `${mark}-counters`, clusterId, scope) }
    })
    return { scope, mark, ...ids }
  }
  return { fresh, grow }
}
