import type { WorkloadsSeen } from '#model/addon/health.ts'
import type { Clock } from '#ports/clock.ts'
import { TenantClusterUnreachable, type ClusterBase, type NodeConfig, type NodeSeen, type RoomSeen, type TenantCluster, type TenantClusterAddress, type TenantClusterProbe } from '#ports/tenant-cluster.ts'
import { ApiRefusal, ApiUnreachable, orUndefined, type ApiClient } from '../client/api-client.ts'
import { listWatch } from '../client/list-watch.ts'
import type { DaemonSetObject, KubernetesList, LeaseObject, NodeObject, PodObject } from '../client/objects.ts'
import { PORTS } from '../control-plane/arguments.ts'
import { signer } from '../pki/certificate.ts'
import { kubeconfigText } from '../pki/kubeconfig.ts'
import { approveRequests } from './approve-requests.ts'
import { applyBase, pathOf } from './base/base.ts'
import { MEMBERS, SYSTEM_NAMESPACE } from './base/names.ts'
import { makeBootstrapToken } from './bootstrap-tokens.ts'
import { evictPods } from './evict-pods.ts'
import { planNodeConfig, planOpen, planSchedulable } from './node-config.ts'
import { probeControlPlane } from './probe.ts'
import { seeNode } from './see-node.ts'
import { isWaiting, seeRoom } from './see-room.ts'
import { Sessions, type Session } from './sessions.ts'
import { lookAtDeployment } from './workloads.ts'

const HOUR_MS = 60 * 60_000
const CONFLICT_TRIES = 5

const nodePath = (name: string): string => `/api/v1/nodes/${encodeURIComponent(name)}`

type WatchHandlers = Parameters<TenantCluster['watch']>[1]

/** Tenant clusters over their API servers. */
export class KubernetesTenantCluster implements TenantCluster {
  readonly #clock: Clock
  readonly #sessions: Sessions
  constructor(clock: Clock) {
    this.#clock = clock
    this.#sessions = new Sessions(clock)
  }

  async probe(cluster: TenantClusterAddress): Promise<TenantClusterProbe> {
    return this.#with(cluster, session => probeControlPlane(session))
  }

  async ensureBase(cluster: TenantClusterAddress, base: ClusterBase): Promise<void> {
    await this.#with(cluster, ({ api }) => applyBase(api, base, this.#clock))
  }

  /** A Deployment with its pods; undefined where it is not there. */
  async lookAtDeployment(cluster: TenantClusterAddress, namespace: string, name: string): Promise<WorkloadsSeen | undefined> {
    return this.#with(cluster, ({ api }) => lookAtDeployment(api, namespace, name))
  }

  /** A watch without a place to begin at tells first of what is there already. */
  async awaitDefaultServiceAccount(cluster: TenantClusterAddress, patienceMs: number): Promise<void> {
    const query = `watch=1&fieldSelector=${encodeURIComponent('metadata.name=default')}&timeoutSeconds=${Math.ceil(patienceMs / 1000)}`
    await this.#with(cluster, async ({ api }) => {
      for await (const _ of api.stream(`/api/v1/namespaces/default/serviceaccounts?${query}`, { signal: AbortSignal.timeout(patienceMs), silenceMs: patienceMs })) return
    })
  }

  /** A watch outlives the certificate it began with: when the session is renewed it goes on with the next one, beginning with a list. */
  async watch(cluster: TenantClusterAddress, handlers: WatchHandlers, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.#watchOnce(cluster, handlers, signal)
    await this.#sessions.forget(cluster.clusterId)
  }

  /** Ends when aborted or when the session is renewed; throws what handlers throw. */
  async #watchOnce(cluster: TenantClusterAddress, handlers: WatchHandlers, signal: AbortSignal): Promise<void> {
    const { api, retired } = await this.#sessions.of(cluster)
    const either = new AbortController()
    const both = AbortSignal.any([signal, either.signal, retired])
    const nodes = listWatch<NodeObject>(api, '/api/v1/nodes', {
      onSync: list => handlers.onSync(list.map(seeNode)),
      onChange: node => handlers.onChange(seeNode(node)),
      onGone: node => handlers.onGone(node.metadata.name),
      onLost: why => handlers.onLost(why),
    }, this.#clock, both)
    const requests = approveRequests(api, name => handlers.isMember(name), this.#clock, both)
    // One that ends by an error takes the other with it, so that the caller never has half a watch.
    const ends = [nodes, requests].map(work => work.catch((error: unknown) => { either.abort(); throw error }))
    const failed = (await Promise.allSettled(ends)).find(result => result.status === 'rejected')
    if (!failed) return
    await this.#sessions.forget(cluster.clusterId)
    throw failed.reason
  }

  async getNode(cluster: TenantClusterAddress, name: string): Promise<NodeSeen | undefined> {
    return this.#with(cluster, async ({ api }) => {
      const node = await api.find<NodeObject>(nodePath(name))
      return node && seeNode(node)
    })
  }

  async leaseRenewedAt(cluster: TenantClusterAddress, name: string): Promise<number | undefined> {
    return this.#with(cluster, async ({ api }) => {
      const lease = await api.find<LeaseObject>(`/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${encodeURIComponent(name)}`)
      const at = Date.parse(lease?.spec?.renewTime ?? '')
      return Number.isNaN(at) ? undefined : at
    })
  }

  async ensureMembers(cluster: TenantClusterAddress, names: readonly string[]): Promise<void> {
    await this.#with(cluster, async ({ api }) => {
      const collection = `/api/v1/namespaces/${SYSTEM_NAMESPACE}/configmaps`
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: MEMBERS, namespace: SYSTEM_NAMESPACE }, data: Object.fromEntries(names.map(name => [name, ''])) }
      // Replaced as a whole, not applied: names that went must go, whoever entered them.
      const replaced = await orUndefined(api.json('PUT', `${collection}/${MEMBERS}`, { body }))
      if (replaced === undefined) await api.json('POST', collection, { body })
    })
  }

  async ensureNodeConfig(cluster: TenantClusterAddress, name: string, config: NodeConfig & { readonly began?: NodeConfig }): Promise<'done' | 'pending'> {
    return this.#with(cluster, ({ api }) => patchNode(api, name, node => planNodeConfig(node, config)))
  }

  async setSchedulable(cluster: TenantClusterAddress, name: string, schedulable: boolean, by?: 'pool'): Promise<void> {
    await this.#with(cluster, ({ api }) => patchNode(api, name, node => (by === 'pool' ? planOpen(node, schedulable) : planSchedulable(node, schedulable))))
  }

  async evict(cluster: TenantClusterAddress, name: string): Promise<number> {
    return this.#with(cluster, ({ api }) => evictPods(api, name))
  }

  async room(cluster: TenantClusterAddress): Promise<RoomSeen> {
    return this.#with(cluster, async ({ api }) => {
      const [pods, nodes] = await Promise.all([
        api.json<KubernetesList<PodObject>>('GET', `/api/v1/pods?fieldSelector=${encodeURIComponent('status.phase!=Succeeded,status.phase!=Failed')}`), api.json<KubernetesList<NodeObject>>('GET', '/api/v1/nodes'),
      ])
      // What each node carries besides matters only to nodes that are to come.
      const daemons = (pods.items ?? []).some(isWaiting) ? await api.json<KubernetesList<DaemonSetObject>>('GET', '/apis/apps/v1/daemonsets') : undefined
      return seeRoom(pods.items ?? [], nodes.items ?? [], daemons?.items ?? [])
    })
  }

  async ensureNodeGone(cluster: TenantClusterAddress, name: string): Promise<void> {
    await this.#with(cluster, ({ api }) => api.remove(nodePath(name)))
  }

  async issueBootstrapToken(cluster: TenantClusterAddress, nodeName: string, ttlSeconds: number): Promise<string> {
    return this.#with(cluster, ({ api }) => makeBootstrapToken(api, nodeName, this.#clock.now() + ttlSeconds * 1000))
  }

  async issueKubeconfig(cluster: TenantClusterAddress, kubeconfig: { id: string; clusterName: string; validHours: number; server?: string | undefined }): Promise<string> {
    const userName = kubeconfigUser(kubeconfig.id)
    await this.#with(cluster, ({ api }) => ensureAdministrator(api, userName))
    const sign = await signer({ cert: cluster.pki.caCert, key: cluster.pki.caKey })
    const credentials = await sign({ commonName: userName, use: 'client', now: this.#clock.now(), validMs: kubeconfig.validHours * HOUR_MS })
    return kubeconfigText({ server: kubeconfig.server ?? `https://${cluster.address}:${PORTS.api}`, caCert: cluster.pki.caCert, clusterName: kubeconfig.clusterName, userName, credentials })
  }

  async revokeKubeconfig(cluster: TenantClusterAddress, id: string): Promise<void> {
    await this.#with(cluster, ({ api }) => api.remove(pathOf(administratorBinding(kubeconfigUser(id)))))
  }

  async #with<T>(cluster: TenantClusterAddress, work: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#sessions.of(cluster))
    } catch (error) {
      // A server that is starting or overloaded refuses with 429 and 5xx: it could not look either.
      const couldNotLook = error instanceof ApiUnreachable || (error instanceof ApiRefusal && (error.httpStatus === 429 || error.httpStatus >= 500))
      if (couldNotLook) throw new TenantClusterUnreachable(`Cluster ${cluster.clusterId} could not be looked at: ${error.message}`, { cause: error })
      throw error
    }
  }
}

const kubeconfigUser = (id: string): string => `edgehold:kubeconfig:${id}`

function administratorBinding(userName: string) {
  const group = 'rbac.authorization.k8s.io'
  return {
    apiVersion: `${group}/v1`, kind: 'ClusterRoleBinding', metadata: { name: userName },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'User', apiGroup: group, name: userName }],
  }
}

async function ensureAdministrator(api: ApiClient, userName: string): Promise<void> {
  const binding = administratorBinding(userName)
  await api.apply(pathOf(binding), binding)
}

/** Planned again from how the Node is then, where somebody changed it meanwhile. */
async function patchNode(api: ApiClient, name: string, plan: (node: NodeObject) => object | undefined): Promise<'done' | 'pending'> {
  for (let tries = 1; ; tries++) {
    const node = await api.find<NodeObject>(nodePath(name))
    if (node === undefined) return 'pending'
    const body = plan(node)
    if (body === undefined) return 'done'
    try {
      await api.json('PATCH', nodePath(name), { body, contentType: 'application/merge-patch+json' })
      return 'done'
    } catch (error) {
      if (error instanceof ApiRefusal && error.httpStatus === 404) return 'pending'
      if (!(error instanceof ApiRefusal && error.httpStatus === 409) || tries >= CONFLICT_TRIES) throw error
    }
  }
}
