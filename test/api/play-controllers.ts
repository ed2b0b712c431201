import type { ApiUnderTest } from './api-under-test.ts'

/** What the controllers do at the end of a deletion: the record goes, its children first. */
export async function forgetWithChildren(api: ApiUnderTest, id: string): Promise<void> {
  const [cluster, nodePool, node] = await Promise.all([api.store.findCluster(id), api.store.findNodePool(id), api.store.findNode(id)])
  const clusterId = cluster?.id ?? nodePool?.clusterId ?? node?.clusterId
  if (clusterId === undefined) return
  await api.store.write(api.now, async tx => {
    await tx.lockCluster(clusterId)
    const pools = nodePool ? [nodePool] : cluster ? await tx.nodePoolsOf(clusterId) : []
    const nodes = node ? [node] : nodePool ? await tx.nodesOf({ nodePoolId: id }) : await tx.nodesOf({ clusterId })
    for (const poolId of new Set([...pools.map(pool => pool.id), ...nodes.map(one => one.nodePoolId)])) await tx.lockNodePool(poolId)
    await tx.lockNodes(nodes.map(one => one.id))
    for (const one of nodes) await tx.forget({ kind: 'Node', id: one.id }, { evidence: [], text: 'gone' })
    for (const pool of pools) await tx.forget({ kind: 'NodePool', id: pool.id }, { evidence: [], text: 'gone' })
    if (cluster) await tx.forget({ kind: 'Cluster', id }, { evidence: [], text: 'gone' })
  })
}
