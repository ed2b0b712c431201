import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { newId } from '#model/ids.ts'
import type { RegionPorts } from '#api/regions.ts'
import { minorOf } from '#model/addon/validate.ts'
import { BaseAddons } from '#kubernetes/tenant-cluster/base-addons.ts'
import { KubernetesTenantCluster } from '#kubernetes/tenant-cluster/kubernetes-tenant-cluster.ts'
import type { Components } from '#ports/components.ts'
import type { Log } from '#ports/log.ts'
import type { RegionRecord, Store } from '#ports/store.ts'
import { Boxes } from '#providers/local/boxes/boxes.ts'
import { LocalControlPlaneHost } from '#providers/local/control-plane/local-control-plane-host.ts'
import { chooseHostNetwork, chooseOverlayRange } from '#providers/local/host-network/choose.ts'
import { rangeInTheWay, removeHostNetwork } from '#providers/local/host-network/host-network.ts'
import { addressPool, type HostNetworkSettings } from '#providers/local/host-network/settings.ts'
import type { RegionOverlay } from '#providers/local/overlay/region-overlay.ts'
import { registryCgroup } from '#providers/local/registry/registry-cgroup.ts'
import { RegionRegistry } from '#providers/local/registry/region-registry.ts'
import { ComponentSupply } from './component-supply.ts'
import type { Configuration } from './configuration.ts'
import type { JoinEndpoint } from './listen-for-machines.ts'
import { localHostName } from './local-host.ts'
import { rememberNetwork } from './local-network.ts'
import { systemClock } from './system-clock.ts'

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

/** The region of this host: the one it already has, else the first free name `local-1`, `local-2`, … on this database. */
export async function claimLocalRegion(store: Store, configuration: Configuration): Promise<RegionRecord> {
  const host = localHostName(configuration)
  const regions = await store.listRegions()
  const own = regions.find(region => region.kind === 'Local' && region.settings['host'] === host)
  if (own) return own
  return store.write(systemClock.now(), async tx => {
    await tx.lockName('regions')
    const taken = new Set((await store.listRegions()).map(region => region.region))
    let number = 1
    while (taken.has(`local-${number}`)) number++
    const region: RegionRecord = { region: `local-${number}`, kind: 'Local', ready: false, text: 'it is being prepared', settings: { host } }
    await tx.putRegion(region)
    return region
  })
}

/**
 * The network that was chosen at the region's first start; clusters and machines have addresses in it, so the choice is remembered. A region that has none
 * of them chooses again if the host uses its range for something else meanwhile. Nothing is made of it here.
 */
export async function chosenNetwork(store: Store, region: RegionRecord, configuration: Configuration): Promise<HostNetworkSettings> {
  const remembered = region.settings['network'] as HostNetworkSettings | undefined
  const stays = remembered !== undefined && (await rangeInTheWay(remembered) === undefined || !await isEmpty(store, region))
  const chosen = stays ? remembered : await chooseHostNetwork(configuration.hash, configuration.bridgeRange === undefined ? {} : { within: configuration.bridgeRange })
  const network = await withOverlay(store, region, { ...chosen, open: configuration.open }, configuration)
  if (!stays && remembered) await removeHostNetwork(remembered)
  if (!isDeepStrictEqual(network, remembered)) await store.write(systemClock.now(), tx => tx.putRegion({ ...region, settings: { ...region.settings, network } }))
  rememberNetwork(configuration.stateDir, network)
  return network
}

/** With a range for machines outside from the first time on that something is advertised: they have addresses in it, also while nothing is. */
async function withOverlay(store: Store, region: RegionRecord, network: HostNetworkSettings, configuration: Configuration): Promise<HostNetworkSettings> {
  if (network.overlay !== undefined || overlayHost(configuration) === undefined) return network
  const ofClusters = (await store.clustersOfRegion(region.region)).flatMap(({ spec }) => [...spec.podCidrs, ...spec.serviceCidrs])
  return { ...network, overlay: await chooseOverlayRange(network, ofClusters, configuration.overlayRange) }
}

/** By which machines outside reach this host; undefined: none are part of the region. */
export function overlayHost({ advertise, joinAdvertise }: Pick<Configuration, 'advertise' | 'joinAdvertise'>): string | undefined {
  return advertise ?? joinAdvertise?.split(':')[0]
}

/** Ranges of the region itself, each with a sentence's end on who has it. */
export function rangesOf(network: HostNetworkSettings): readonly { readonly cidr: string; readonly by: string }[] {
  const own = { cidr: network.cidr, by: `the region's own network has ${network.cidr}` }
  return network.overlay === undefined ? [own] : [own, { cidr: network.overlay, by: `the region's machines outside have ${network.overlay}` }]
}

async function isEmpty(store: Store, { region }: RegionRecord): Promise<boolean> {
  return (await store.clustersOfRegion(region)).length === 0 && (await store.machinesOfRegion(region)).length === 0
}

export type RegionPart = 'join' | 'registry' | 'outside' | 'overlay'

/** The local region as the API sees it, from the first moment on: it takes orders while its network and components are still being prepared. */
export class LocalRegionFace implements RegionPorts {
  readonly kind = 'Local' as const
  parts: LocalParts | undefined
  overlay: RegionOverlay | undefined
  join: JoinEndpoint | undefined
  failure: string | undefined
  /** By which clients outside reach the region's API servers. */
  advertised: string | undefined
  /** What does not run although everything is there for it, one sentence each; it is tried again by itself. */
  readonly #obstacles = new Map<RegionPart, string>()
  readonly #components: Components
  readonly #supply: ComponentSupply
  readonly #setSchedulable: (clusterId: string, nodeName: string, schedulable: boolean) => Promise<void>

  constructor(components: Components, supply: ComponentSupply, setSchedulable: LocalRegionFace['setSchedulable']) {
    this.#components = components
    this.#supply = supply
    this.#setSchedulable = setSchedulable
  }

  ready(): { ready: boolean; text: string } {
    if (this.failure !== undefined) return { ready: false, text: this.failure }
    if (!this.parts) return { ready: false, text: 'its network is being prepared' }
    if (this.#obstacles.size > 0) return { ready: false, text: [...this.#obstacles.values()].join(' ') }
    return { ready: this.#supply.isWhole(), text: this.#supply.text() }
  }

  /** Says what stands in the way of one part, or that nothing does any more. Answers whether that is news. */
  setObstacle(part: RegionPart, sentence: string | undefined): boolean {
    if (this.#obstacles.get(part) === sentence) return false
    if (sentence === undefined) this.#obstacles.delete(part)
    else this.#obstacles.set(part, sentence)
    return true
  }

  now(): number {
    return systemClock.now()
  }

  get addons() {
    return this.parts?.addons
  }

  servedVersions(): readonly string[] {
    return this.#components.kubernetesVersions()
  }

  reservedRanges(): ReturnType<RegionPorts['reservedRanges']> {
    return this.parts ? rangesOf(this.parts.network) : []
  }

  refusesWrites(): string | undefined {
    return this.failure ?? (this.parts ? undefined : 'its network is being prepared; try again in a moment')
  }

  get machines(): Boxes | undefined {
    return this.parts?.machines
  }

  machineAddresses(): { first: string; last: string } {
    if (!this.parts) throw new Error('the region has no network yet')
    const { first, last } = addressPool(this.parts.network)
    return { first, last }
  }

  /** Undefined until the join endpoint's key is known, moments after the network. */
  bootstrapLine(token: string): string | undefined {
    return this.join?.line(token)
  }

  publicAddress(): string | undefined {
    return this.advertised
  }

  setSchedulable(clusterId: string, nodeName: string, schedulable: boolean): Promise<void> {
    return this.#setSchedulable(clusterId, nodeName, schedulable)
  }
}

export function newLedgerId(): string {
  return newId('ledger', systemClock.now(), randomBytes(16))
}
