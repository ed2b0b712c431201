import type { PodSeen, WorkloadsSeen } from '#model/addon/health.ts'
import type { ApiClient } from '../client/api-client.ts'
import type { DeploymentObject, KubernetesList, NodeObject, PodObject, ReplicaSetObject } from '../client/objects.ts'
import { isSchedulable } from './see-node.ts'

/** Whether there is any schedulable node matters, not how many thousand. */
const NODES = 500
const REVISION = 'deployment.kubernetes.io/revision'

/** A Deployment with its pods as kubelet and scheduler tell them; undefined where it is not there. */
export async function lookAtDeployment(api: ApiClient, namespace: string, name: string): Promise<WorkloadsSeen | undefined> {
  const deployment = await api.find<DeploymentObject>(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`)
  if (!deployment) return undefined
  const selector = encodeURIComponent(Object.entries(deployment.spec?.selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`).join(','))
  const [pods, sets, nodes] = await Promise.all([
    api.json<KubernetesList<PodObject>>('GET', `/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`),
    api.json<KubernetesList<ReplicaSetObject>>('GET', `/apis/apps/v1/namespaces/${namespace}/replicasets?labelSelector=${selector}`),
    api.json<KubernetesList<NodeObject>>('GET', `/api/v1/nodes?limit=${NODES}`),
  ])
  const revision = deployment.metadata.annotations?.[REVISION]
  const current = new Set((sets.items ?? []).filter(set => set.metadata.annotations?.[REVISION] === revision).map(set => set.metadata.name))
  const isObserved = deployment.status?.observedGeneration === deployment.metadata.generation
  return {
    schedulableNodes: (nodes.items ?? []).filter(isSchedulable).length,
    workloads: [{
      name: `Deployment/${name}`,
      desired: deployment.spec?.replicas ?? 1,
      available: deployment.status?.availableReplicas ?? 0,
      // What the controller has not looked at yet is not updated.
      updated: isObserved ? deployment.status?.updatedReplicas ?? 0 : 0,
      pods: (pods.items ?? []).filter(pod => pod.metadata.deletionTimestamp === undefined).map(pod => podSeen(pod, current)),
    }],
  }
}

function podSeen(pod: PodObject, currentSets: ReadonlySet<string>): PodSeen {
  const { conditions = [], containerStatuses = [] } = pod.status ?? {}
  const waiting = containerStatuses.find(container => container.state?.waiting)?.state?.waiting
  const scheduled = conditions.find(condition => condition.type === 'PodScheduled')
  const started = containerStatuses.map(container => container.state?.running?.startedAt)
  const owner = pod.metadata.ownerReferences?.find(reference => reference.controller)
  return {
    name: pod.metadata.name,
    ...(pod.spec?.nodeName !== undefined && { node: pod.spec.nodeName }),
    ready: conditions.some(condition => condition.type === 'Ready' && condition.status === 'True'),
    current: owner !== undefined && currentSets.has(owner.name),
    restarts: containerStatuses.reduce((sum, container) => sum + (container.restartCount ?? 0), 0),
    ...(waiting?.reason !== undefined && { waiting: { reason: waiting.reason, message: waiting.message ?? '' } }),
    ...(started.length > 0 && started.every(at => at !== undefined) && { runningSince: Math.max(...started.map(at => Date.parse(at ?? ''))) }),
    ...(scheduled?.status === 'False' && scheduled.reason === 'Unschedulable' && { unschedulable: scheduled.message ?? 'no message' }),
  }
}
