import type { ClusterRecord } from '#model/cluster/record.ts'
import type { KubeconfigRecord } from '#model/kubeconfig/record.ts'
import type { Clock } from '#ports/clock.ts'
import type { Controller } from '#ports/controller.ts'
import type { DecisionPorts } from '#ports/decisions.ts'
import type { Store } from '#ports/store.ts'
import { type AddressedCluster, TenantClusterUnreachable, type TenantCluster, type TenantClusterAddress } from '#ports/tenant-cluster.ts'
import { decideKubeconfig } from './decide.ts'

export interface KubeconfigPorts extends DecisionPorts {
  readonly store: Store
  regionOf(region: string): {
    readonly clock: Clock
    /** The region tells every change of a control plane, so that looking by the clock is a backstop only. */
    readonly tellsAll?: boolean
    readonly tenant: TenantCluster
    /** The URL by which clients outside reach the API server of that address; absent or undefined: by the address itself. */
    readonly outsideUrl?: (address: string) => string | undefined
  }
  tenantAddressOf(cluster: AddressedCluster): Promise<TenantClusterAddress | undefined>
}

/** Makes kubeconfigs and revokes them; a revoked one is of no use at once, since its binding is gone. */
export function kubeconfigController(ports: KubeconfigPorts): Controller {
  return {
    kind: 'kubeconfig',
    async reconcile(id) {
      const record = await ports.store.findKubeconfig(id)
      if (!record) return {}
      const cluster = await ports.store.findCluster(record.clusterId)
      const { clock, tellsAll } = ports.regionOf(record.region)
      const seen = { now: clock.now(), record, cluster, tellsAll }
      const decision = decideKubeconfig(seen), { step, lookAgainAt } = decision
      ports.onDecision?.({ by: 'decideKubeconfig', about: record.id, seen, decided: decision })
      if (!step) return { lookAgainAt }
      if (step === 'forget') await forget(record, ports)
      else if (cluster) await ensure(step, record, cluster, ports)
      return { lookAgainAt }
    },
  }
}

async function ensure(step: 'issue' | 'revoke', record: KubeconfigRecord, cluster: ClusterRecord, ports: KubeconfigPorts): Promise<void> {
  const { tenant, clock, outsideUrl } = ports.regionOf(record.region)
  const address = await ports.tenantAddressOf(cluster)
  if (!address) throw new TenantClusterUnreachable(`The address and keys of cluster ${cluster.id} are not there`)
  if (step === 'revoke') {
    await tenant.revokeKubeconfig(address, record.id)
    return await forget(record, ports)
  }
  const validHours = Math.max(1, Math.ceil((record.expiresAt - clock.now()) / 3_600_000))
  const server = record.type === 'Public' ? outsideUrl?.(address.address) : undefined
  const text = await tenant.issueKubeconfig(address, { id: record.id, clusterName: cluster.spec.name, validHours, server })
  await ports.store.write(clock.now(), async tx => {
    const [locked] = await tx.lockKubeconfigs(record.clusterId, [record.id])
    if (locked && locked.text === undefined && locked.deletionRequestedAt === undefined) await tx.changeKubeconfig(record.id, { text: Buffer.from(text).toString('base64') })
  })
}

async function forget(record: KubeconfigRecord, ports: KubeconfigPorts): Promise<void> {
  await ports.store.write(ports.regionOf(record.region).clock.now(), async tx => {
    const [locked] = await tx.lockKubeconfigs(record.clusterId, [record.id])
    if (locked) await tx.forgetKubeconfig(record.id)
  })
}
