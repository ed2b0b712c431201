import type { ClusterRecord } from '#model/cluster/record.ts'
import type { ClusterPki } from '#ports/control-plane-host.ts'
import type { Store } from '#ports/store.ts'
import { type TenantCluster, type TenantClusterAddress, TenantClusterUnreachable } from '#ports/tenant-cluster.ts'
import type { JoinOptions } from './join-options.ts'
import { JoinRefused } from './refused.ts'

/** A bootstrap token is for the minutes of an installation; a machine that needs longer asks again with its secret. */
const TOKEN_SECONDS = 3600

/** The tenant cluster of a record, as its administrator. */
export async function tenantAddress({ store, tenantAddressOf }: Pick<JoinOptions, 'store' | 'tenantAddressOf'>, cluster: ClusterRecord): Promise<TenantClusterAddress> {
  const known = tenantAddressOf ? await tenantAddressOf(cluster) : await read(store, cluster)
  if (!known) throw new JoinRefused(503, `The cluster ${cluster.spec.name} has no API yet.`)
  return known
}

async function read(store: Store, { id, address }: ClusterRecord): Promise<TenantClusterAddress | undefined> {
  const pki = await store.readSecret(`cluster/${id}/pki`)
  return pki && address ? { clusterId: id, address, pki: JSON.parse(pki) as ClusterPki } : undefined
}

/** Nodes of one cluster that are let in. */
export interface LetIn {
  readonly cluster: ClusterRecord
  readonly address: TenantClusterAddress
  readonly nodeNames: readonly string[]
}

/** Lets nodes of many clusters in, as letIn of each, in few looks at the records; `hands` clusters are spoken to at once. Answers who is refused, by cluster. */
export async function letAllIn(store: Store, tenantCluster: TenantCluster, all: readonly LetIn[], hands: number): Promise<ReadonlyMap<string, JoinRefused>> {
  const refused = new Map<string, JoinRefused>()
  await bringMembers(store, tenantCluster, all, hands, refused)
  await inLanes(all, hands, refused, async ({ address, nodeNames }) => {
    for (const nodeName of nodeNames) await tenantCluster.issueBootstrapToken(address, nodeName, TOKEN_SECONDS)
  })
  return refused
}

/** Lets the node in: its name is on the members' list before its token is given. Answers the bootstrap token, good for that name only. */
export async function letIn(store: Store, tenantCluster: TenantCluster, address: TenantClusterAddress, cluster: ClusterRecord, nodeName: string): Promise<string> {
  const refused = new Map<string, JoinRefused>(), tokens: string[] = [], one: LetIn = { cluster, address, nodeNames: [nodeName] }
  await bringMembers(store, tenantCluster, [one], 1, refused)
  await inLanes([one], 1, refused, async () => { tokens.push(await tenantCluster.issueBootstrapToken(address, nodeName, TOKEN_SECONDS)) })
  const [token] = tokens
  if (token === undefined) throw refused.get(cluster.id) ?? new Error('E-TOKEN: a node was let in without a token')
  return token
}

/**
 * The list is replaced as a whole, so two joins could each write it without the other. Whoever wrote reads the records again, until they are what was
 * written: the later writer then always has both.
 */
async function bringMembers(store: Store, tenantCluster: TenantCluster, all: readonly LetIn[], hands: number, refused: Map<string, JoinRefused>): Promise<void> {
  const written = new Map<string, string>()
  for (let round = 0, left = all; round < 20 && left.length > 0; round++) {
    const nodes = Map.groupBy(await store.nodesOfClusters(left.map(({ cluster }) => cluster.id)), ({ clusterId }) => clusterId)
    const namesOf = ({ cluster }: LetIn) => (nodes.get(cluster.id) ?? []).filter(({ deleting }) => !deleting).map(({ name }) => name).sort()
    left = left.filter(one => !refused.has(one.cluster.id) && namesOf(one).join(' ') !== written.get(one.cluster.id))
    await inLanes(left, hands, refused, async one => {
      const names = namesOf(one)
      await tenantCluster.ensureMembers(one.address, names)
      written.set(one.cluster.id, names.join(' '))
    })
  }
}

/** Acts on each cluster that nothing was refused of; one whose API does not answer is refused. */
async function inLanes(all: readonly LetIn[], hands: number, refused: Map<string, JoinRefused>, act: (one: LetIn) => Promise<void>): Promise<void> {
  const waiting = all.values()
  await Promise.all(Array.from({ length: Math.min(hands, all.length) }, async () => {
    for (const one of waiting) {
      if (refused.has(one.cluster.id)) continue
      try {
        await act(one)
      } catch (error) {
        if (!(error instanceof TenantClusterUnreachable)) throw error
        refused.set(one.cluster.id, new JoinRefused(503, `The API of the cluster ${one.cluster.spec.name} does not answer at the moment.`, { cause: error }))
      }
    }
  }))
}
