import type { PodSeen } from '#model/addon/health.ts'
import type { Pod, WorkloadOrder } from './workload.ts'

const SECOND = 1_000
/** The kubelet's pauses between restarts and between pulls: from ten seconds, doubling, to five minutes. */
const FIRST_PAUSE_MS = 10 * SECOND, LONGEST_PAUSE_MS = 300 * SECOND

/** How often it was tried again by `now`, and when it is tried next, having failed first at `since`. */
export function retries(since: number, now: number): { readonly count: number; readonly nextAt: number; readonly pauseMs: number } {
  let count = 0, at = since
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    if (pause === LONGEST_PAUSE_MS) {
      const more = Math.max(Math.floor((now - at) / pause), 0)
      return { count: count + more, nextAt: at + (more + 1) * pause, pauseMs: pause }
    }
    if (at + pause > now) return { count, nextAt: at + pause, pauseMs: pause }
    at += pause
    count++
  }
}

/** A pod in the kubelet's and the scheduler's words. */
export function seePod(pod: Pod, order: WorkloadOrder & { readonly revision: number }, nodeReady: boolean, registry: string, now: number): PodSeen {
  const { name, node, broken, readyAt } = pod
  const runs = node !== undefined && !broken && (readyAt ?? Infinity) <= now
  const restarts = (pod.restarts ?? 0) + (broken?.by === 'exit' ? retries(broken.since, now).count + 1 : 0)
  const waiting = waitsFor(pod, order, `${registry}/${order.image}`, now)
  return {
    name, ...(node !== undefined && { node }), ready: runs && nodeReady, current: pod.revision === order.revision, restarts, ...(waiting && { waiting }),
    ...(runs && readyAt !== undefined && { runningSince: readyAt }),
    ...(node === undefined && { unschedulable: pod.unplaced?.message ?? 'the scheduler has not looked at it yet' }),
  }
}

function waitsFor({ name, node, broken, readyAt }: Pod, order: WorkloadOrder, image: string, now: number): PodSeen['waiting'] {
  if (node === undefined) return undefined
  if (broken?.by === 'image') {
    const error = `rpc error: code = NotFound desc = failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`
    return now - broken.since < SECOND ? { reason: 'ErrImagePull', message: error } : { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}": ErrImagePull: ${error}` }
  }
  if (broken?.by === 'exit') {
    const { code, words } = order.exits ?? { code: 1, words: 'exit status 1' }
    return { reason: 'CrashLoopBackOff', message: `back-off ${pauseText(retries(broken.since, now).pauseMs)} restarting failed container=${order.name} pod=${name}_${order.namespace}; it ended with exit code ${code}: ${words}` }
  }
  return (readyAt ?? Infinity) <= now ? undefined : { reason: 'ContainerCreating', message: 'its image is pulled and its containers are started' }
}

function pauseText(ms: number): string {
  const seconds = ms / SECOND
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}
