import type { ClusterRecord } from '#model/cluster/record.ts'
import type { ClusterPki } from '#ports/control-plane-host.ts'
import type { Store } from '#ports/store.ts'
import { type TenantCluster, type TenantClusterAddress, TenantClusterUnreachable } from '#ports/tenant-cluster.ts'
import { JoinRefused } from './refused.ts'

/** A bootstrap token is for the minutes of an installation; a machine that needs longer asks again with its secret. */
const TOKEN_SECONDS = 3600

/** The tenant cluster of a record, as its administrator. */
export async function tenantAddress(store: Store, cluster: ClusterRecord): Promise<TenantClusterAddress> {
  const pki = await store.readSecret(`cluster/${cluster.id}/pki`)
  if (!pki || !cluster.address) throw new JoinRefused(503, `The cluster ${cluster.spec.name} has no API yet.`)
  return { clusterId: cluster.id, address: cluster.address, pki: JSON.parse(pki) as ClusterPki }
}

/** Lets nodes of one cluster in, as letIn of each. */
export async function letAllIn(store: Store, tenantCluster: TenantCluster, address: TenantClusterAddress, cluster: ClusterRecord, nodeNames: readonly string[]): Promise<void> {
  try {
    await bringMembers(store, tenantCluster, address)
    for (const nodeName of nodeNames) await tenantCluster.issueBootstrapToken(address, nodeName, TOKEN_SECONDS)
  } catch (error) {
    if (!(error instanceof TenantClusterUnreachable)) throw error
    throw new JoinRefused(503, `The API of the cluster ${cluster.spec.name} does not answer at the moment.`, { cause: error })
  }
}

/** Lets the node in: its name is on the members' list before its token is given. Answers the bootstrap token, good for that name only. */
export async function letIn(store: Store, tenantCluster: TenantCluster, address: TenantClusterAddress, cluster: ClusterRecord, nodeName: string): Promise<string> {
  try {
    await bringMembers(store, tenantCluster, address)
    return await tenantCluster.issueBootstrapToken(address, nodeName, TOKEN_SECONDS)
  } catch (error) {
    if (!(error instanceof TenantClusterUnreachable)) throw error
    throw new JoinRefused(503, `The API of the cluster ${cluster.spec.name} does not answer at the moment.`, { cause: error })
  }
}

/**
 * The list is replaced as a whole, so two joins could each write it without the other. Whoever wrote reads the records again, until they are what was
 * written: the later writer then always has both.
 */
async function bringMembers(store: Store, tenantCluster: TenantCluster, address: TenantClusterAddress): Promise<void> {
  for (let round = 0, written = ''; round < 20; round++) {
    const names = (await store.nodesOf({ clusterId: address.clusterId })).filter((node) => !node.facts.deletion).map((node) => node.spec.name).sort()
    if (round > 0 && names.join(' ') === written) return
    await tenantCluster.ensureMembers(address, names)
    written = names.join(' ')
  }
}
