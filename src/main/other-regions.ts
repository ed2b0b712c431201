import type { RegionPorts } from '#api/regions.ts'
import { baseAddons } from '#kubernetes/tenant-cluster/base-addons.ts'
import { minorOf } from '#model/addon/validate.ts'
import type { Components } from '#ports/components.ts'
import type { Log } from '#ports/log.ts'
import type { RegionRecord, Store } from '#ports/store.ts'
import { addressPool, type HostNetworkSettings } from '#providers/local/host-network/settings.ts'
import { RecordedQuotas } from '#providers/local/quotas/recorded-quotas.ts'
import { rangesOf } from './local/network.ts'
import { lineOf, type ToldOfRegion } from './local/told-of-region.ts'
import { systemClock } from './system-clock.ts'

/** A new region of another host is known here after this. */
const LOOK_EVERY_MS = 3_000

export interface OtherRegionsParts {
  readonly store: Store
  /** The name of the region that this process serves itself, if any. */
  readonly own: string | undefined
  /** What the API answers for; the regions of others are put into it. */
  readonly regions: Map<string, RegionPorts>
  readonly components: Components
  readonly log: Log
}

/**
 * Local regions of other hosts on this database: their orders are taken and their records shown by every server, and their own host does the work. So
 * the death of one server takes nobody's API away.
 */
export async function findOtherRegions({ store, own, regions, components }: OtherRegionsParts): Promise<void> {
  for (const record of await store.listRegions()) {
    if (record.kind === 'Local' && record.region !== own) regions.set(record.region, otherRegion(record, store, components))
  }
}

/** Looks again and again until aborted. */
export async function watchOtherRegions(parts: OtherRegionsParts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await systemClock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined) // aborted: the loop ends
    if (signal.aborted) return
    await findOtherRegions(parts).catch((error: unknown) => parts.log.debug({ error }, 'Looking for regions of other hosts did not succeed'))
  }
}

function otherRegion({ region, settings }: RegionRecord, store: Store, components: Components): RegionPorts {
  const network = settings['network'] as HostNetworkSettings | undefined
  const { join, advertise } = settings as unknown as Partial<ToldOfRegion>
  const why = network ? undefined : 'its own host has not prepared its network yet'
  return {
    kind: 'Local',
    ready: () => ({ ready: why === undefined, text: why ?? 'another host serves it; its orders are taken here, too' }),
    now: () => systemClock.now(),
    servedVersions: () => components.kubernetesVersions(),
    reservedRanges: () => (network ? rangesOf(network) : []),
    refusesWrites: () => (why === undefined ? undefined : { why, passes: true }),
    machineAddresses: () => {
      if (!network) throw new Error('the region has no network yet')
      const { first, last } = addressPool(network)
      return { first, last }
    },
    quotas: new RecordedQuotas(store, region, () => systemClock.now()),
    addons: { catalogue: () => baseAddons(components.kubernetesVersions().map(minorOf)) },
    publicAddress: () => advertise ?? undefined,
    bootstrapLine: token => join && lineOf(join, token),
  }
}
