import type { AddonRecord, SupportedAddon } from '#model/addon/record.ts'
import { addonId, CLUSTER_NOT_USABLE_YET } from '#model/addon/record.ts'
import { minorOf } from '#model/addon/validate.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import { refuse } from '#model/errors/catalogue.ts'
import type { Transaction } from '#ports/store.ts'
import { askedBy, type ActionContext } from './action.ts'
import { lockCluster } from './lock.ts'

/** What may be installed in the caller's region, or a refusal where nothing can. */
export function catalogueOf({ region, scope }: ActionContext): readonly SupportedAddon[] {
  return region.addons?.catalogue() ?? refuse('OperationDenied.RegionNotReady', { region: scope.region, why: 'it installs no add-ons' })
}

/** Every cluster has it, and no call removes it. */
export function isRequiredAddon({ addons }: Pick<ActionContext['region'], 'addons'>, name: string): boolean {
  return addons?.catalogue().find(one => one.name === name)?.necessary === 'Required'
}

/** Locks the cluster first, then the add-on of that name in it. */
export async function lockClusterAndAddon(context: ActionContext, tx: Transaction, clusterId: string, name: string): Promise<{ cluster: ClusterRecord; addon: AddonRecord }> {
  const cluster = await lockCluster(context, tx, clusterId)
  const addon = await tx.lockAddon(addonId(clusterId, name))
  return addon ? { cluster, addon } : refuse('NotFound.{Resource}', { Resource: 'Addon', id: addonId(clusterId, name) })
}

/** The add-ons that every cluster has are part of its creation; they are installed once it is usable. */
export async function insertRequiredAddons(context: ActionContext, tx: Transaction, cluster: Pick<ClusterRecord, 'id' | 'spec'>): Promise<void> {
  const minor = minorOf(cluster.spec.servedVersion)
  for (const { name, necessary, versions, deployModes, deployNodeTypes } of context.region.addons?.catalogue() ?? []) {
    const version = versions.findLast(one => one.kubernetes.includes(minor))?.version
    if (necessary !== 'Required' || version === undefined) continue
    await tx.insertAddon({
      id: addonId(cluster.id, name), ...context.scope, clusterId: cluster.id,
      spec: { name, version, deployMode: deployModes[0] ?? 'Unmanaged', deployNodeType: deployNodeTypes[0] ?? 'Node' },
      facts: { operation: { action: 'CreateAddon', since: context.now }, waitsFor: CLUSTER_NOT_USABLE_YET, reasons: {}, obstacles: [] },
    }, askedBy(context, `Every cluster has the add-on ${name}.`))
  }
}
