import type { AddonSpec, SupportedAddon } from '#model/addon/record.ts'
import type { AddonInstaller, AddonSeen } from '#ports/addon-installer.ts'
import type { TenantClusterAddress } from '#ports/tenant-cluster.ts'
import { COREDNS_VERSION } from './base/cluster-dns.ts'
import { DNS_DEPLOYMENT, SYSTEM_NAMESPACE } from './base/names.ts'
import type { KubernetesTenantCluster } from './kubernetes-tenant-cluster.ts'

export const CORE_DNS = 'core-dns'
const LOOK_EVERY_MS = 20_000

/** The add-ons that the base of every cluster holds. `minors`: of the Kubernetes versions that are served, e.g. `1.35`. */
export function baseAddons(minors: readonly string[]): readonly SupportedAddon[] {
  return [{
    name: CORE_DNS, versions: [{ version: COREDNS_VERSION, kubernetes: minors }], podNetworkModes: ['Flannel'], deployModes: ['Unmanaged'], deployNodeTypes: ['Node'],
    necessary: 'Required', categories: ['Dns'],
  }]
}

/** Others cannot be installed by it. */
export class BaseAddons implements AddonInstaller {
  readonly lookEveryMs = LOOK_EVERY_MS
  readonly #tenant: KubernetesTenantCluster
  readonly #minors: () => readonly string[]

  constructor(tenant: KubernetesTenantCluster, minors: () => readonly string[]) {
    this.#tenant = tenant
    this.#minors = minors
  }

  catalogue(): readonly SupportedAddon[] {
    return baseAddons(this.#minors())
  }

  /** It was applied with the base, and is applied again with it should somebody take it away. */
  async ensure(cluster: TenantClusterAddress, { name }: Pick<AddonSpec, 'name'>): Promise<void> {
    if (name !== CORE_DNS) throw new Error(`This region installs no ${name}; it has cluster DNS alone, which comes with the base of each cluster`)
    if (!(await this.look(cluster, name))) throw new Error('The Deployment of cluster DNS is not there; it comes back with the base of the cluster')
  }

  async look(cluster: TenantClusterAddress, name: string): Promise<AddonSeen | undefined> {
    if (name !== CORE_DNS) return undefined
    const seen = await this.#tenant.lookAtDeployment(cluster, SYSTEM_NAMESPACE, DNS_DEPLOYMENT)
    return seen && { ...seen, version: COREDNS_VERSION }
  }

  async ensureGone(_cluster: TenantClusterAddress, name: string): Promise<void> {
    if (name !== CORE_DNS) return
    throw new Error('Cluster DNS is part of the base of every cluster and goes with it')
  }
}
