import type { TenantClusterProbe } from '#ports/tenant-cluster.ts'
import { ApiUnreachable, type ApiClient } from '../client/api-client.ts'
import type { ConfigMapObject, DeploymentObject, KubernetesList, NodeObject } from '../client/objects.ts'
import { BASE_VERSION } from './base/base.ts'
import { BASE_MARK, DNS_DEPLOYMENT, SYSTEM_NAMESPACE } from './base/names.ts'
import { isSchedulable } from './see-node.ts'
import type { Session } from './sessions.ts'

const DEADLINE_MS = 4_000
/** Whether there is any schedulable node matters, not how many thousand. */
const NODES = 500

/** Looks at every part that makes a cluster usable. An API server that cannot be connected to is not ready: that was seen. */
export async function probeControlPlane(session: Session): Promise<TenantClusterProbe> {
  const readiness = await readyz(session.api)
  // The others cannot work without it.
  if (readiness.says !== 'ok') {
    const baseApplied = readiness.answers && (await findMark(session.api))?.data?.['version'] === BASE_VERSION
    return { ready: false, ...readiness, scheduler: false, controllerManager: false, defaultServiceAccount: false, baseApplied, dns: { available: 0, wanted: 0, schedulableNodes: 0 } }
  }
  const { api } = session
  const [scheduler, controllerManager, account, mark, dns, nodes] = await Promise.all([
    isHealthy(session.scheduler),
    isHealthy(session.controllerManager),
    api.find('/api/v1/namespaces/default/serviceaccounts/default'),
    findMark(api),
    api.find<DeploymentObject>(`/apis/apps/v1/namespaces/${SYSTEM_NAMESPACE}/deployments/${DNS_DEPLOYMENT}`),
    api.json<KubernetesList<NodeObject>>('GET', `/api/v1/nodes?limit=${NODES}`),
  ])
  const schedulableNodes = (nodes.items ?? []).filter(isSchedulable).length
  return {
    ready: true, answers: true, says: 'ok', scheduler, controllerManager,
    defaultServiceAccount: account !== undefined,
    // The mark alone would still say so after somebody deleted the Deployment.
    baseApplied: mark?.data?.['version'] === BASE_VERSION && dns !== undefined,
    dns: { available: dns?.status?.availableReplicas ?? 0, wanted: schedulableNodes > 0 ? dns?.spec?.replicas ?? 1 : 0, schedulableNodes },
  }
}

function findMark(api: ApiClient): Promise<ConfigMapObject | undefined> {
  return api.find<ConfigMapObject>(`/api/v1/namespaces/${SYSTEM_NAMESPACE}/configmaps/${BASE_MARK}`)
}

/** `ok`, or what is in the way; and whether it was the API server itself that said so. */
async function readyz(api: ApiClient): Promise<{ says: string; answers: boolean }> {
  try {
    const answer = await api.call('GET', '/readyz?verbose', { deadlineMs: DEADLINE_MS })
    if (answer.httpStatus === 200) return { says: 'ok', answers: true }
    const failing = answer.text.split('\n').filter(line => line.startsWith('[-]')).map(line => line.slice(3).split(' ')[0])
    return { says: failing.length > 0 ? `The API server is not ready: ${failing.join(', ')}` : `The API server answered ${answer.httpStatus}: ${answer.text.trim().slice(0, 300)}`, answers: true }
  } catch (error) {
    if (error instanceof ApiUnreachable) return { says: error.message, answers: false }
    throw error
  }
}

async function isHealthy(component: ApiClient): Promise<boolean> {
  try {
    return (await component.call('GET', '/healthz', { deadlineMs: DEADLINE_MS })).httpStatus === 200
  } catch (error) {
    if (error instanceof ApiUnreachable) return false
    throw error
  }
}
