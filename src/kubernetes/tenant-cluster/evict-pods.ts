import { ApiRefusal, type ApiClient } from '../client/api-client.ts'
import type { KubernetesList, PodObject } from '../client/objects.ts'

const MIRROR = 'kubernetes.io/config.mirror'

/** Pods that must leave a node: not those that a DaemonSet or the kubelet itself keeps there, nor those that have ended. */
export function mustLeave(pod: PodObject): boolean {
  const kept = pod.metadata.ownerReferences?.some(owner => owner.kind === 'DaemonSet' && owner.controller) ?? false
  return !hasEnded(pod) && !kept && pod.metadata.annotations?.[MIRROR] === undefined
}

export function hasEnded({ status }: PodObject): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed'
}

/** One round: asks for the eviction of every pod that is not leaving yet. A disruption budget may refuse; that pod is asked again in the next round. */
export async function evictPods(api: ApiClient, nodeName: string): Promise<number> {
  const pods = await api.json<KubernetesList<PodObject>>('GET', `/api/v1/pods?fieldSelector=${encodeURIComponent(`spec.nodeName=${nodeName}`)}`)
  const leaving = (pods.items ?? []).filter(mustLeave)
  const answers = await Promise.all(leaving.map(async pod => {
    if (pod.metadata.deletionTimestamp !== undefined) return 'still there'
    const { name, namespace = '' } = pod.metadata
    try {
      await api.json('POST', `/api/v1/namespaces/${namespace}/pods/${encodeURIComponent(name)}/eviction`, {
        body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } },
      })
      return 'still there'
    } catch (error) {
      if (error instanceof ApiRefusal && error.httpStatus === 404) return 'gone'
      if (error instanceof ApiRefusal && error.httpStatus === 429) return 'still there'
      throw error
    }
  }))
  return answers.filter(answer => answer === 'still there').length
}
