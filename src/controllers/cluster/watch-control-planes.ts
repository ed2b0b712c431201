import { keepWatching, type WatchingOptions } from '#kernel/watching.ts'
import type { ControlPlaneHost } from '#ports/control-plane-host.ts'

export interface WatchControlPlanesPorts extends Omit<WatchingOptions, 'subject' | 'watch'> {
  readonly host: Pick<ControlPlaneHost, 'watch'>
}

/** Lets a cluster be looked at as soon as a component of it started or ended; one process a region. */
export async function watchControlPlanes(region: string, { host, ...keeper }: WatchControlPlanesPorts, signal: AbortSignal): Promise<void> {
  const watch: WatchingOptions['watch'] = async (_held, ends) => {
    await host.watch(clusterId => {
      keeper.queue.enqueue({ kind: 'cluster', id: clusterId, region }).catch(error => keeper.log.warn({ clusterId, error }, 'Waking a cluster whose component changed did not succeed'))
    }, ends)
  }
  await keepWatching({ ...keeper, subject: `control-planes/${region}`, watch }, signal)
}
