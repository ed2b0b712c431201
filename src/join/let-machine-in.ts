import type { TenantClusterAddress } from '#ports/tenant-cluster.ts'
import type { Admitted, Newcomer } from './admit-machine.ts'
import { admitInvited } from './admit-ordered-machine.ts'
import type { JoinOptions } from './join-options.ts'
import type { Invitation } from './onboarding-token.ts'
import { letIn, tenantAddress } from './tenant.ts'

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
