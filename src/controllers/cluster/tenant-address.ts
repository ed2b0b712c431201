import type { ClusterPki } from '#ports/control-plane-host.ts'
import type { Store } from '#ports/store.ts'
import type { TenantClusterAddress } from '#ports/tenant-cluster.ts'

/** The secret that holds a cluster's keys, as JSON of ClusterPki. */
export function pkiSecretName(clusterId: string): string {
  return `cluster/${clusterId}/pki`
}

/**
 * Answers how a tenant cluster is spoken to as its administrator. A cluster's keys never change, so they are read from the store once a process;
 * a cluster whose keys are gone answers `undefined`.
 */
export function tenantAddresses(store: Pick<Store, 'readSecret'>): (cluster: { readonly id: string; readonly address?: string }) => Promise<TenantClusterAddress | undefined> {
  const known = new Map<string, ClusterPki>()
  return async ({ id, address }) => {
    if (address === undefined) return undefined
    let pki = known.get(id)
    if (!pki) {
      const secret = await store.readSecret(pkiSecretName(id))
      if (secret === undefined) return undefined
      pki = JSON.parse(secret) as ClusterPki
      if (known.size > 10_000) known.clear()
      known.set(id, pki)
    }
    return { clusterId: id, address, pki }
  }
}
