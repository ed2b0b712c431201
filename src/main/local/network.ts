import { isDeepStrictEqual } from 'node:util'
import type { RegionRecord, Store } from '#ports/store.ts'
import { chooseHostNetwork, chooseOverlayRange } from '#providers/local/host-network/choose.ts'
import { rangeInTheWay, removeHostNetwork } from '#providers/local/host-network/host-network.ts'
import type { HostNetworkSettings } from '#providers/local/host-network/settings.ts'
import type { Configuration } from '../configuration.ts'
import { systemClock } from '../system-clock.ts'
import { localHostName } from './host.ts'
import { rememberNetwork } from './remembered-network.ts'

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
