import type { ClusterRecord } from '#model/cluster/record.ts'
import type { OnboardingRecord } from '#model/onboarding/record.ts'
import type { MachineSecret, Store } from '#ports/store.ts'
import { hostEvidence } from './evidence.ts'
import { putEntry } from './ledger.ts'
import { lookOutside, retainOutside } from './outside.ts'
import type { ClusterPorts } from './ports.ts'

/**
 * The end of a cluster, in one transaction: address released, keys, kubeconfigs and onboardings forgotten, ledger closed, the secrets of its machines
 * turned into tombstones (they outlive it, so that each machine gets the explicit answer `removed`), and the record dropped.
 */
export async function finishDeletion(record: ClusterRecord, ports: ClusterPorts): Promise<void> {
  const { store } = ports
  const { clock } = ports.regionOf(record.region)
  const [onboardings, secrets, outside] = await Promise.all([onboardingsOf(record, store), store.machineSecretsOf(record.id), lookOutside(record, ports)])
  const now = clock.now()
  await store.write(now, async tx => {
    const cluster = await tx.lockCluster(record.id)
    if (!cluster?.facts.deletion) return
    if ((await tx.nodePoolsOf(record.id)).length > 0 || (await tx.nodesOf({ clusterId: record.id })).length > 0) return
    for (const secret of secrets.filter(isMember)) await tx.putMachineSecret({ ...secret, state: 'removed', changedAt: now })
    for (const onboarding of onboardings) await tx.forgetOnboarding(onboarding.id, now)
    for (const kubeconfig of await tx.lockKubeconfigs(record.id)) await tx.forgetKubeconfig(kubeconfig.id)
    for (const { id } of await tx.addonsOf(record.id)) {
      await tx.lockAddon(id)
      await tx.forget({ kind: 'Addon', id }, { evidence: [hostEvidence('The cluster with everything in it is gone.', now)], operation: 'DeleteCluster', text: 'It went with its cluster' })
    }
    await retainOutside(tx, cluster, outside, now, ports.newLedgerId)
    for (const entry of await tx.ledgerOf(record.id)) if (entry.state !== 'Released' && entry.state !== 'Retained') await putEntry(tx, cluster, entry.kind, 'Released', now, ports.newLedgerId)
    await tx.releaseAddress(record.region, record.id)
    await tx.deleteSecrets(`cluster/${record.id}/`)
    await tx.forget({ kind: 'Cluster', id: record.id }, {
      evidence: [hostEvidence('Its network, processes and data are gone.', now)], operation: 'DeleteCluster', text: 'Everything of it was removed',
    })
  })
}

function isMember(secret: MachineSecret): boolean {
  return secret.state === 'member'
}

async function onboardingsOf({ id, accountId, region }: ClusterRecord, store: Store): Promise<OnboardingRecord[]> {
  const found: OnboardingRecord[] = []
  for (let number = 1; ; number++) {
    const { items, totalCount } = await store.listOnboardings({ accountId, region }, { clusterIds: [id] }, { number, size: 100 })
    found.push(...items)
    if (items.length === 0 || found.length >= totalCount) return found
  }
}
