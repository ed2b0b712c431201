import type { Store } from '#ports/store.ts'
import type { TenantCluster, TenantClusterAddress } from '#ports/tenant-cluster.ts'

/** Rounds after which somebody else must be writing the list as fast as we do; they read it again as well. */
const ROUNDS = 5

/**
 * The members' list of a cluster: all its nodes that are not being deleted. It is read again after it was written, and written again if it
 * changed, so that of two writers that cross the last one to end has written the newest list.
 */
export async function ensureMembers(cluster: TenantClusterAddress, store: Pick<Store, 'nodesOf'>, tenant: Pick<TenantCluster, 'ensureMembers'>): Promise<void> {
  let names = await membersOf(cluster.clusterId, store)
  for (let round = 0; round < ROUNDS; round++) {
    await tenant.ensureMembers(cluster, names)
    const now = await membersOf(cluster.clusterId, store)
    if (now.join() === names.join()) return
    names = now
  }
}

async function membersOf(clusterId: string, store: Pick<Store, 'nodesOf'>): Promise<string[]> {
  const nodes = await store.nodesOf({ clusterId })
  return nodes.filter(node => !node.facts.deletion).map(node => node.spec.name).sort()
}
