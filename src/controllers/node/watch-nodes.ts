import { watchEach, type Watches } from '#kernel/watch-each.ts'
import { keepWatching } from '#kernel/watching.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { Clock } from '#ports/clock.ts'
import type { ControlPlaneHost } from '#ports/control-plane-host.ts'
import { clusterWatch, type ProcessLease, type Queue } from '#ports/queue.ts'
import type { NodePorts } from './ports.ts'
import { RouteKeeper } from './routes.ts'
import { ClusterNodesWatch } from './watch-cluster.ts'

export interface WatchNodesPorts extends NodePorts {
  readonly queue: Queue
  /** Real time; only slept on. */
  readonly clock: Clock
  /** The lease of the moment, e.g. `Worker.lease`. */
  readonly lease: () => ProcessLease | undefined
  readonly host: Pick<ControlPlaneHost, 'ensureRoutes'>
}

/** Watches the Node objects of every usable cluster of a region whose watch no other process has; ends, with all of them given back, when aborted. */
export function watchNodes(region: string, ports: WatchNodesPorts, signal: AbortSignal): Watches {
  return watchEach({
    wanted: async () => (await ports.store.clustersOfRegion(region)).filter(isWatched),
    watch: (cluster, ends) => watchCluster(cluster, ports, ends),
    clock: ports.clock, log: ports.log, what: 'nodes',
  }, signal)
}

function isWatched({ facts }: ClusterRecord): boolean {
  return facts.firstReadyAt !== undefined && !facts.deletion && !facts.unpaid
}

async function watchCluster(cluster: ClusterRecord, ports: WatchNodesPorts, signal: AbortSignal): Promise<void> {
  const { queue, clock, log, lease } = ports
  const subject = clusterWatch('nodes', cluster.id)
  await keepWatching({ queue, clock, log, lease, subject, watch: async (watch, ends) => {
    const address = await ports.tenantAddressOf(cluster)
    if (!address) return
    const stop = new AbortController()
    const routes = new RouteKeeper({ clusterId: cluster.id, podCidrs: cluster.spec.podCidrs, host: ports.host, clock, log, signal: AbortSignal.any([ends, stop.signal]) })
    try {
      await new ClusterNodesWatch({ cluster, address, watch, queue, ports, routes, sleeper: clock }).run(ends)
    } finally {
      stop.abort()
    }
  } }, signal)
}
