import { refuse } from '#model/errors/catalogue.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import { statusText } from '#model/status/table.ts'
import { rfc3339Seconds } from '#model/time.ts'
import type { RegionQuotas } from '#ports/quotas.ts'
import type { RegionFaults, RegionStock, RegionUsers } from '#ports/region-world.ts'
import type { ActionContext } from './action.ts'
import { within } from './lock.ts'
import { refuseNotReady } from './regions.ts'

/** What may be arranged in a region whose world is invented; others refuse it, and say why. */
export function faultsOf(context: ActionContext): RegionFaults {
  return context.region.faults ?? refuseArranging(context)
}

export function stockOf(context: ActionContext): RegionStock {
  return context.region.stock ?? refuseArranging(context)
}

/** Real regions have quotas, too. */
export function quotasOf(context: ActionContext): RegionQuotas {
  return context.region.quotas ?? refuseArranging(context)
}

/** Scenarios are about simulated regions, whichever of them plays one. */
export function checkScenarios(context: ActionContext): void {
  if (context.region.kind !== 'Simulated') refuseArranging(context)
}

/** The hands of a cluster's users. */
export async function usersOf(context: ActionContext, clusterId: string): Promise<{ users: RegionUsers; cluster: ClusterRecord }> {
  const users = registryOf(context)
  const cluster = within(context.scope, await context.store.findCluster(clusterId))
  return cluster ? { users, cluster } : refuse('NotFound.{Resource}', { Resource: 'Cluster', id: clusterId })
}

export function registryOf(context: ActionContext): RegionUsers {
  return context.region.users ?? refuseArranging(context)
}

/** Does it, or refuses it where the cluster's API gives no answer: as it would be with kubectl. */
export async function withCluster(cluster: ClusterRecord, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof Error && 'kind' in error && error.kind === 'TenantClusterUnreachable')) throw error
    refuse('OperationDenied.ClusterStatus', { text: `The API of the cluster ${cluster.spec.name} gives no answer now; the cluster is ${statusText(cluster.said.status)} since ${rfc3339Seconds(cluster.said.since)}: ${cluster.said.rule}.` })
  }
}

function refuseArranging({ action, region, scope }: ActionContext): never {
  if (region.kind === 'Simulated') return refuseNotReady(scope.region, region.refusesWrites?.() ?? { why: region.ready().text, passes: false })
  return refuse('OperationDenied.RegionNotSimulated', { region: scope.region, action })
}
