import { withFacts } from '#model/with-facts.ts'
import type { TenantClusterAddress } from '#ports/tenant-cluster.ts'
import type { Admitted, Newcomer } from './admit-machine.ts'
import { admitInvited, admitOrderedMachines, type OrderedNewcomer } from './admit-ordered-machine.ts'
import type { JoinOptions } from './join-options.ts'
import type { Invitation } from './onboarding-token.ts'
import { JoinRefused } from './refused.ts'
import { letAllIn, letIn, tenantAddress, type LetIn } from './tenant.ts'

/** What of the options a join needs, however the machine reached us. */
export type LetInOptions = Pick<JoinOptions, 'region' | 'store' | 'tenantCluster' | 'tenantAddressOf' | 'clock' | 'randomBytes' | 'log'>

/** Admits a machine and lets its node in: its node row, its place among the members, its bootstrap token. Throws JoinRefused. */
export async function letMachineIn(options: LetInOptions, invitation: Invitation, machine: Newcomer): Promise<Admitted & { readonly tenant: TenantClusterAddress; readonly bootstrapToken: string }> {
  const { store, clock, log } = options
  const now = clock.now()
  const admitted = await store.write(now, (tx) => admitInvited(tx, tx, invitation, machine, now, options.randomBytes(8)))
  const { cluster, nodeName } = admitted
  const { tenant, bootstrapToken } = await giveToken(options, admitted).catch(async (error: unknown) => {
    if (error instanceof JoinRefused) await takeBackStep(options, [admitted.nodeId], now)
    throw error
  })
  log.info({ cluster: cluster.id, node: nodeName, address: machine.address, by: invitation.kind, name: invitation.name }, 'Letting machine join')
  return { ...admitted, tenant, bootstrapToken }
}

async function giveToken(options: LetInOptions, { cluster, nodeName }: Admitted): Promise<{ readonly tenant: TenantClusterAddress; readonly bootstrapToken: string }> {
  const tenant = await tenantAddress(options, cluster)
  return { tenant, bootstrapToken: await letIn(options.store, options.tenantCluster, tenant, cluster, nodeName) }
}

/** A machine takes the step that its admission began once it is let in, and not before; one whose cluster did not let it in comes again, or never. */
async function takeBackStep({ store, clock }: LetInOptions, nodeIds: readonly string[], admittedAt: number): Promise<void> {
  if (nodeIds.length === 0) return
  await store.write(clock.now(), async tx => {
    for (const { id, facts } of await tx.lockNodes(nodeIds)) {
      if (facts.progress?.at === admittedAt && !facts.deletion) await tx.changeNode(id, { facts: withFacts(facts, { progress: undefined }) }, { evidence: [] })
    }
  })
}

/**
 * As letMachineIn of each machine that was ordered for a node, of any clusters: one transaction for all, one look at the members of each cluster. Answers in their order; `hands` clusters are
 * spoken to at once.
 */
export async function letOrderedMachinesIn(options: LetInOptions, newcomers: readonly OrderedNewcomer[], hands: number): Promise<readonly (Admitted | JoinRefused)[]> {
  const { store, tenantCluster, clock, log } = options
  const now = clock.now()
  const outcomes = await store.write(now, tx => admitOrderedMachines(tx, newcomers, now))
  const byCluster = Map.groupBy(outcomes.flatMap(outcome => (outcome instanceof JoinRefused ? [] : [outcome])), ({ cluster }) => cluster.id)
  const refused = new Map<string, JoinRefused>(), all: LetIn[] = []
  for (const admitted of byCluster.values()) {
    const cluster = admitted[0]?.cluster
    if (!cluster) continue
    try {
      all.push({ cluster, address: await tenantAddress(options, cluster), nodeNames: admitted.map(({ nodeName }) => nodeName) })
    } catch (error) {
      if (!(error instanceof JoinRefused)) throw error
      refused.set(cluster.id, error)
    }
  }
  for (const [clusterId, refusal] of await letAllIn(store, tenantCluster, all, hands)) refused.set(clusterId, refusal)
  await takeBackStep(options, [...refused.keys()].flatMap(clusterId => (byCluster.get(clusterId) ?? []).map(({ nodeId }) => nodeId)), now)
  for (const { cluster, nodeName, nodeAddress } of [...byCluster.values()].flat()) if (!refused.has(cluster.id)) log.info({ cluster: cluster.id, node: nodeName, address: nodeAddress, by: 'node' }, 'Letting machine join')
  return outcomes.map(outcome => (outcome instanceof JoinRefused ? outcome : refused.get(outcome.cluster.id) ?? outcome))
}
