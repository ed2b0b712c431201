import type { ClusterPki } from '#ports/control-plane-host.ts'
import type { Store } from '#ports/store.ts'
import type { AddressedCluster, TenantClusterAddress } from '#ports/tenant-cluster.ts'

/** The secret that holds a cluster's keys, as JSON of ClusterPki. */
export function pkiSecretName(clusterId: string): string {
  return `cluster/${clusterId}/pki`
}

/**
 * Answers how a tenant cluster is spoken to as its administrator. A cluster's keys never change, so they are read from the store once a process;
 * a cluster whose keys are gone answers `undefined`.
 */
export function tenantAddresses(store: Pick<Store, 'readSecret'>): (cluster: AddressedCluster) => Promise<TenantClusterAddress | undefined> {
  const known = new Map<string, ClusterPki>(), asked = new Map<string, Promise<ClusterPki | undefined>>()
  return async ({ id, address }) => {
    if (address === undefined) return undefined
    const pki = known.get(id) ?? await ask(id)
    return pki && { clusterId: id, address, pki }
  }

  /** Those who ask while it is being read share the answer. */
  function ask(id: string): Promise<ClusterPki | undefined> {
    const reading = asked.get(id) ?? read(id).finally(() => { asked.delete(id) })
    asked.set(id, reading)
    return reading
  }

  async function read(id: string): Promise<ClusterPki | undefined> {
    const secret = await store.readSecret(pkiSecretName(id))
    if (secret === undefined) return undefined
    const pki = JSON.parse(secret) as ClusterPki
    if (known.size > 10_000) known.clear()
    known.set(id, pki)
    return pki
  }
}
