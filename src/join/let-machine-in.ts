import type { TenantClusterAddress } from '#ports/tenant-cluster.ts'
import type { Admitted, Newcomer } from './admit-machine.ts'
import { admitInvited, admitOrderedMachines, type OrderedNewcomer } from './admit-ordered-machine.ts'
import type { JoinOptions } from './join-options.ts'
import type { Invitation } from './onboarding-token.ts'
import { JoinRefused } from './refused.ts'
import { letAllIn, letIn, tenantAddress } from './tenant.ts'

/** What of the options a join needs, however the machine reached us. */
export type LetInOptions = Pick<JoinOptions, 'region' | 'store' | 'tenantCluster' | 'clock' | 'randomBytes' | 'log'>

/** Admits a machine and lets its node in: its node row, its place among the members, its bootstrap token. Throws JoinRefused. */
export async function letMachineIn(options: LetInOptions, invitation: Invitation, machine: Newcomer): Promise<Admitted & { readonly tenant: TenantClusterAddress; readonly bootstrapToken: string }> {
  const { store, tenantCluster, clock, log } = options
  const now = clock.now()
  const admitted = await store.write(now, (tx) => admitInvited(tx, tx, invitation, machine, now, options.randomBytes(8)))
  const { cluster, nodeName } = admitted
  const tenant = await tenantAddress(store, cluster)
  const bootstrapToken = await letIn(store, tenantCluster, tenant, cluster, nodeName)
  log.info({ cluster: cluster.id, node: nodeName, address: machine.address, by: invitation.kind, name: invitation.name }, 'Letting machine join')
  return { ...admitted, tenant, bootstrapToken }
}

/**
 * As letMachineIn of each machine that was ordered for a node, of any clusters: one transaction for all, one look at the members of each cluster. Answers in their order; `hands` clusters are
 * spoken to at once.
 */
export async function letOrderedMachinesIn(options: LetInOptions, newcomers: readonly OrderedNewcomer[], hands: number): Promise<readonly (Admitted | JoinRefused)[]> {
  const { store, tenantCluster, clock, log } = options
  const now = clock.now()
  const outcomes = [...await store.write(now, tx => admitOrderedMachines(tx, newcomers, now))]
  const byCluster = Map.groupBy(outcomes.flatMap((outcome, index) => (outcome instanceof JoinRefused ? [] : [{ outcome, index }])), ({ outcome }) => outcome.cluster.id)
  const waiting = byCluster.values()
  await Promise.all(Array.from({ length: Math.min(hands, byCluster.size) }, async () => {
    for (const admitted of waiting) {
      const cluster = admitted[0]?.outcome.cluster
      if (!cluster) continue
      try {
        await letAllIn(store, tenantCluster, await tenantAddress(store, cluster), cluster, admitted.map(({ outcome }) => outcome.nodeName))
      } catch (error) {
        if (!(error instanceof JoinRefused)) throw error
        for (const { index } of admitted) outcomes[index] = error
      }
      for (const { outcome: { nodeName, nodeAddress } } of admitted) log.info({ cluster: cluster.id, node: nodeName, address: nodeAddress, by: 'node' }, 'Letting machine join')
    }
  }))
  return outcomes
}
