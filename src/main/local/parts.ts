import { randomBytes } from 'node:crypto'
import { newId } from '#model/ids.ts'
import { minorOf } from '#model/addon/validate.ts'
import { BaseAddons } from '#kubernetes/tenant-cluster/base-addons.ts'
import { KubernetesTenantCluster } from '#kubernetes/tenant-cluster/kubernetes-tenant-cluster.ts'
import type { Components } from '#ports/components.ts'
import type { Log } from '#ports/log.ts'
import { Boxes } from '#providers/local/boxes/boxes.ts'
import { LocalControlPlaneHost } from '#providers/local/control-plane/local-control-plane-host.ts'
import { addressPool, type HostNetworkSettings } from '#providers/local/host-network/settings.ts'
import { registryCgroup } from '#providers/local/registry/registry-cgroup.ts'
import { RegionRegistry } from '#providers/local/registry/region-registry.ts'
import type { Configuration } from '../configuration.ts'
import { systemClock } from '../system-clock.ts'

/** Ports on the bridge's own address. */
export const REGISTRY_PORT = 5000
export const JOIN_PORT = 7443

/** What a local region consists of once its network is there. */
export interface LocalParts {
  readonly network: HostNetworkSettings
  readonly host: LocalControlPlaneHost
  readonly machines: Boxes
  readonly tenant: KubernetesTenantCluster
  readonly addons: BaseAddons
  readonly registry: RegionRegistry
}

export function localParts(configuration: Configuration, network: HostNetworkSettings, components: Components, log: Log): LocalParts {
  const pool = addressPool(network)
  const tenant = new KubernetesTenantCluster(systemClock)
  return {
    network,
    host: new LocalControlPlaneHost({
      hash: configuration.hash, stateFolder: configuration.stateDir, runFolder: configuration.runDir, network, components, clock: systemClock, log,
      ...(configuration.advertise !== undefined && { advertised: [configuration.advertise], outsidePortBase: configuration.advertisePortBase }),
    }),
    machines: new Boxes({
      stateDir: configuration.stateDir, hash: configuration.hash, bridge: network.bridge, gateway: pool.gateway, prefixLength: pool.prefix,
      clock: systemClock, log, hidden: [configuration.cacheDir],
    }),
    tenant,
    addons: new BaseAddons(tenant, () => components.kubernetesVersions().map(minorOf)),
    registry: new RegionRegistry({
      stateDir: configuration.stateDir, listenHost: pool.gateway, port: REGISTRY_PORT, components, ...registryCgroup(configuration.hash, systemClock),
    }),
  }
}

export function newLedgerId(): string {
  return newId('ledger', systemClock.now(), randomBytes(16))
}
