import { keepWatching } from '#kernel/watching.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { Clock } from '#ports/clock.ts'
import type { ControlPlaneHost } from '#ports/control-plane-host.ts'
import type { ProcessLease, Queue } from '#ports/queue.ts'
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

export interface NodeWatches {
  /** Looks now which clusters are to be watched; for whoever knows that one was made or goes. */
  look(): void
  readonly done: Promise<void>
}

/** Backstop for clusters that another process made usable. */
const LOOK_EVERY_MS = 10_000

/** Watches the Node objects of every usable cluster of a region whose watch no other process has; ends, with all of them given back, when aborted. */
export function watchNodes(region: string, ports: WatchNodesPorts, signal: AbortSignal): NodeWatches {
  const running = new Map<string, { stop: AbortController; done: Promise<void> }>()
  let wake = new AbortController()

  const lookOnce = async (): Promise<void> => {
    const clusters = (await ports.store.clustersOfRegion(region)).filter(isWatched)
    const wanted = new Set(clusters.map(cluster => cluster.id))
    for (const [id, { stop }] of running) if (!wanted.has(id)) stop.abort()
    for (const cluster of clusters) {
      if (running.has(cluster.id)) continue
      const stop = new AbortController()
      const done = watchCluster(cluster, ports, AbortSignal.any([signal, stop.signal]))
        .catch(error => ports.log.error({ clusterId: cluster.id, error }, 'Ending the watch of a cluster'))
        .finally(() => running.delete(cluster.id))
      running.set(cluster.id, { stop, done })
    }
  }

  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      const woken = wake.signal
      try {
        await lookOnce()
      } catch (error) {
        ports.log.warn({ region, error }, 'Looking for clusters to watch did not succeed')
      }
      await ports.clock.sleep(LOOK_EVERY_MS, AbortSignal.any([signal, woken])).catch(() => undefined) // woken: looks at once
    }
    await Promise.all([...running.values()].map(({ done }) => done))
  }

  return {
    look() {
      wake.abort()
      wake = new AbortController()
    },
    done: loop(),
  }
}

function isWatched({ facts }: ClusterRecord): boolean {
  return facts.firstReadyAt !== undefined && !facts.deletion && !facts.unpaid
}

async function watchCluster(cluster: ClusterRecord, ports: WatchNodesPorts, signal: AbortSignal): Promise<void> {
  const { queue, clock, log, lease } = ports
  const subject = `nodes/${cluster.id}`
  await keepWatching({ queue, clock, log, lease, subject, watch: async (watch, ends) => {
    const address = await ports.tenantAddressOf(cluster)
    if (!address) return
    const stop = new AbortController()
    const routes = new RouteKeeper({ clusterId: cluster.id, host: ports.host, clock, log, signal: AbortSignal.any([ends, stop.signal]) })
    try {
      await new ClusterNodesWatch({ cluster, address, watch, queue, ports, routes, sleeper: clock }).run(ends)
    } finally {
      stop.abort()
    }
  } }, signal)
}
