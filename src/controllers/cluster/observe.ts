import type { ClusterRecord } from '#model/cluster/record.ts'
import { TenantClusterUnreachable, type TenantClusterProbe } from '#ports/tenant-cluster.ts'
import { lookedAt } from './could-not-look.ts'
import { lookOutside } from './outside.ts'
import type { ClusterPorts } from './ports.ts'
import type { ClusterSeen, ComponentsState } from './seen.ts'

/** Reads only. Where the world could not be looked at it throws, since "I could not see" is not "it is not there". */
export async function observeCluster(record: ClusterRecord, ports: ClusterPorts): Promise<ClusterSeen> {
  const region = ports.regionOf(record.region)
  const [host, components, children, outside] = await Promise.all([lookedAt(`The control plane of ${record.spec.name} (${record.id})`, region.host.look(record.id)), componentsOf(record, ports), childrenOf(record, ports), lookOutside(record, ports)])
  const asksTheApi = !record.facts.deletion && !record.facts.creationEnded
  // Without its datastore an API server lets everybody wait for seconds; what is so is known already.
  const runs = (['etcd', 'kube-apiserver'] as const).every(name => host.components.some(component => component.name === name && component.state === 'running'))
  return {
    now: region.clock.now(), record, shownSince: record.said.since, host, components, children, outside,
    probe: asksTheApi && runs ? await probe(record, ports) : undefined,
    probeEveryMs: region.probeEveryMs, tellsAll: region.tellsAll,
  }
}

async function probe(record: ClusterRecord, ports: ClusterPorts): Promise<TenantClusterProbe | undefined> {
  const address = await ports.tenantAddressOf(record)
  if (!address) return undefined
  try {
    return await ports.regionOf(record.region).tenant.probe(address)
  } catch (error) {
    if (!(error instanceof TenantClusterUnreachable) || record.facts.firstReadyAt !== undefined) throw error
    // Before its first Ready an API server that cannot be reached is just one that is not up yet; nothing is concluded from it but patience.
    return { ready: false, says: error.message, scheduler: false, controllerManager: false, defaultServiceAccount: false, baseApplied: false, dns: { available: 0, wanted: 0, schedulableNodes: 0 } }
  }
}

/** Only a cluster that has not been started yet waits for components. */
async function componentsOf(record: ClusterRecord, ports: ClusterPorts): Promise<ComponentsState> {
  const { deletion, creationEnded, attemptStartedAt } = record.facts
  if (deletion || creationEnded || attemptStartedAt !== undefined) return { state: 'ready' }
  return await ports.regionOf(record.region).componentsReady(record.spec.servedVersion)
}

async function childrenOf(record: ClusterRecord, { store }: ClusterPorts): Promise<ClusterSeen['children']> {
  if (!record.facts.deletion) return { pools: 0, nodes: 0 }
  const [pools, nodes] = await Promise.all([store.nodePoolsOf(record.id), store.nodesOf({ clusterId: record.id })])
  return { pools: pools.length, nodes: nodes.length }
}
