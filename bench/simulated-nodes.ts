/** Node objects and Leases of a real API server whose heartbeats this process sends, with rows in the store as machines that joined would have them. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiRefusal, ApiUnreachable, type ApiClient } from '#kubernetes/client/api-client.ts'
import { KubernetesTenantCluster } from '#kubernetes/tenant-cluster/kubernetes-tenant-cluster.ts'
import { systemClock } from '#main/system-clock.ts'
import { cidrOf, nthAddress } from '#model/cidr.ts'
import { newId } from '#model/ids.ts'
import type { ClusterPki } from '#ports/control-plane-host.ts'
import type { Installation } from '#test/harness/command.ts'
import { administrator, readyOf, recordsOf, watchNodeObjects } from './cluster-of.ts'
import { networkOf } from './machines-of.ts'

const AT_ONCE = 32
const RENEW_EVERY_MS = 15_000
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'
const ROWS_A_TRANSACTION = 200
/** Addresses of the region's network that are handed out last. */
const FIRST_ADDRESS = 1_900

export class SimulatedNodes {
  readonly api: ApiClient
  readonly #names: readonly string[]
  readonly #addresses: readonly string[]
  #there: string[] = []
  #stop = new AbortController()
  #renewing: Promise<void> = Promise.resolve()
  #error: unknown

  private constructor(api: ApiClient, names: readonly string[], addresses: readonly string[]) {
    this.api = api
    this.#names = names
    this.#addresses = addresses
  }

  /** Rows in the store, and all names on the members' list. */
  static async prepare(place: Installation, clusterId: string, poolId: string, count: number): Promise<SimulatedNodes> {
    const names = Array.from({ length: count }, (_, index) => `sim-${String(index).padStart(5, '0')}`)
    const range = cidrOf(networkOf(place).cidr)
    return recordsOf(place, async ({ store }) => {
      const cluster = await store.findCluster(clusterId)
      const pki = JSON.parse(await store.readSecret(`cluster/${clusterId}/pki`) ?? 'null') as ClusterPki | null
      if (!cluster?.address || !pki) throw new Error(`Cluster ${clusterId} has no API yet`)
      for (let from = 0; from < count; from += ROWS_A_TRANSACTION) {
        const now = Date.now()
        await store.write(now, async tx => {
          await tx.lockCluster(clusterId)
          await tx.lockNodePool(poolId)
          for (const name of names.slice(from, from + ROWS_A_TRANSACTION)) {
            await tx.insertNode({
              id: newId('node', now, randomBytes(8)), accountId: cluster.accountId, region: cluster.region, clusterId, nodePoolId: poolId,
              spec: { name, architecture: 'amd64', machineId: randomBytes(16).toString('hex') },
              facts: { claimedAt: now, machineExistsAt: now, pausedMs: 0, obstacles: [], unschedulable: false, outOfSync: false, unpaid: false },
            }, { evidence: [{ observer: 'bench', source: 'simulated machine', observedAt: now, fact: `The simulated machine ${name} joined.` }] })
          }
        })
      }
      await new KubernetesTenantCluster(systemClock).ensureMembers({ clusterId, address: cluster.address, pki }, names)
      return new SimulatedNodes(await administrator(cluster.address, pki), names, names.map((_, index) => nthAddress(range, FIRST_ADDRESS + index)))
    })
  }

  /** Makes all Node objects and Leases, and keeps their heartbeats going. */
  async come(): Promise<void> {
    this.#renewing = this.#renewForEver().catch((error: unknown) => { this.#error = error })
    // A kubelet that was taken for silent says that it is there.
    const watch = await watchNodeObjects(this.api, node => {
      if (readyOf(node) !== 'Unknown' || this.#stop.signal.aborted) return
      insist(() => this.api.json('PATCH', `/api/v1/nodes/${node.metadata.name}/status`, { body: { status: { conditions: conditionsNow() } }, contentType: 'application/strategic-merge-patch+json' }))
        .catch((error: unknown) => { this.#error = error })
    })
    this.#stop.signal.addEventListener('abort', () => { void watch.stop() }, { once: true })
    await inParallel(this.#names, async (name, index) => {
      await insist(() => this.api.json('POST', '/api/v1/nodes', { body: nodeObject(name, this.#addresses[index] ?? '') }))
      await insist(() => this.api.json('POST', LEASES, { body: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: microTime() } } }))
      this.#there.push(name)
    })
  }

  /** One last heartbeat of all; from then on nothing. Answers how long that round took, in ms. */
  async fallSilent(): Promise<number> {
    this.#stop.abort()
    await this.#renewing
    if (this.#error !== undefined) throw new Error('Sending heartbeats did not succeed', { cause: this.#error })
    const startedAt = performance.now()
    await this.#renewAll()
    return performance.now() - startedAt
  }

  async #renewForEver(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const startedAt = performance.now()
      await this.#renewAll()
      await sleep(Math.max(0, RENEW_EVERY_MS - (performance.now() - startedAt)), undefined, { signal: this.#stop.signal }).catch(() => undefined) // aborted: it ends
    }
  }

  async #renewAll(): Promise<void> {
    await inParallel([...this.#there], async name => {
      await insist(() => this.api.json('PATCH', `${LEASES}/${name}`, { body: { spec: { renewTime: microTime() } }, contentType: 'application/merge-patch+json', deadlineMs: 30_000 }))
    })
  }
}

/** As a kubelet does: an API server that does not answer, or is too busy, is asked again; what is there already is there. */
async function insist(call: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await call()
      return
    } catch (error) {
      if (error instanceof ApiRefusal && error.httpStatus === 409) return
      const passes = error instanceof ApiUnreachable || (error instanceof ApiRefusal && (error.httpStatus === 429 || error.httpStatus >= 500))
      if (!passes || attempt === 10) throw error
      await sleep(200 * attempt)
    }
  }
}

async function inParallel(names: readonly string[], work: (name: string, index: number) => Promise<void>): Promise<void> {
  let next = 0
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let index = next++; index < names.length; index = next++) await work(names[index] ?? '', index)
  }))
}

function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z')
}

function nodeObject(name: string, address: string): object {
  return {
    apiVersion: 'v1', kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' } },
    status: {
      addresses: [{ type: 'InternalIP', address }, { type: 'Hostname', address: name }],
      capacity: { cpu: '2', memory: '4Gi', pods: '64' }, allocatable: { cpu: '2', memory: '4Gi', pods: '64' },
      nodeInfo: { architecture: 'amd64', operatingSystem: 'linux', kubeletVersion: 'v1.35.4', containerRuntimeVersion: 'containerd://2.4.2', kernelVersion: '6.18', osImage: 'Debian', machineID: name, systemUUID: name, bootID: name, kubeProxyVersion: '' },
      conditions: conditionsNow(),
    },
  }
}

function conditionsNow(): object[] {
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
  const condition = (type: string, status: string, reason: string, message: string) => ({ type, status, reason, message, lastHeartbeatTime: now, lastTransitionTime: now })
  return [
    condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
    condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
    condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'),
  ]
}
