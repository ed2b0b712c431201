import { watchEach, type Watches } from '#kernel/watch-each.ts'
import { keepWatching, type WatchingOptions } from '#kernel/watching.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import { clusterWatch } from '#ports/queue.ts'
import type { Store } from '#ports/store.ts'
import type { ClusterPorts, ClusterRegion } from './ports.ts'

export interface WatchHealthPorts extends Omit<WatchingOptions, 'subject' | 'watch'> {
  readonly store: Pick<Store, 'clustersOfRegion'>
  readonly tenantAddressOf: ClusterPorts['tenantAddressOf']
  readonly tenant: Pick<ClusterRegion['tenant'], 'probe'>
  readonly everyMs: number
}

/**
 * Probes every usable cluster of a region now and then, in the one process that has its watch, and lets its controller look only when the answer is another than
 * before: a healthy fleet costs requests and no writes. Ends of processes are told sooner, by `watchControlPlanes`; this sees what hangs.
 */
export function watchHealth(region: string, ports: WatchHealthPorts, signal: AbortSignal): Watches {
  return watchEach({
    wanted: async () => (await ports.store.clustersOfRegion(region)).filter(isProbed),
    watch: (cluster, ends) => keepWatching({ ...ports, subject: clusterWatch('health', cluster.id), watch: (_held, held) => probeOnAndOn(region, cluster, ports, held) }, ends),
    clock: ports.clock, log: ports.log, what: 'health',
  }, signal)
}

function isProbed({ facts }: ClusterRecord): boolean {
  return facts.firstReadyAt !== undefined && !facts.deletion && !facts.unpaid
}

async function probeOnAndOn(region: string, cluster: ClusterRecord, ports: WatchHealthPorts, signal: AbortSignal): Promise<void> {
  let before: string | undefined
  while (!signal.aborted) {
    const answer = await probe(cluster, ports)
    // The first answer may differ from what the process before this one knew.
    if (answer !== before) await ports.queue.enqueue({ kind: 'cluster', id: cluster.id, region })
    before = answer
    await ports.clock.sleep(ports.everyMs, signal).catch(() => undefined) // aborted: the loop ends
  }
}

async function probe(cluster: ClusterRecord, { tenant, tenantAddressOf }: WatchHealthPorts): Promise<string> {
  try {
    const address = await tenantAddressOf(cluster)
    return address ? JSON.stringify(await tenant.probe(address)) : 'no address'
  } catch (error) {
    // What stands in the way is the controller's to find out and to tell.
    return error instanceof Error ? error.name : String(error)
  }
}
