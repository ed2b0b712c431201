import type { NodeSeen } from '#ports/tenant-cluster.ts'
import type { SteppedClock } from '../stepped-clock.ts'
import type { MemoryMachines } from './machines.ts'
import type { MemoryTenantClusters } from './tenant-clusters.ts'

/** From power-on to the kubelet's first status. */
export const BOOT_MS = 2_000
/** Silence after which Kubernetes says Unknown, as measured with its defaults. */
export const SILENCE_MS = 43_400

interface Kubelet {
  readonly machineId: string
  readonly clusterId: string
  readonly name: string
  heardAt: number
  silent: boolean
}

/** What kubelets and the node lifecycle controller do: register once, be heard while power, network and API are there, fall silent otherwise. */
export class Kubelets {
  readonly #clock: SteppedClock
  readonly #tenant: MemoryTenantClusters
  readonly #machines: MemoryMachines
  readonly #running: Kubelet[] = []
  /** Set: no kubelet is heard. */
  silenced = false

  constructor(clock: SteppedClock, tenant: MemoryTenantClusters, machines: MemoryMachines) {
    this.#clock = clock
    this.#tenant = tenant
    this.#machines = machines
  }

  /** Its name is put on the members' list, as the join endpoint does, and its kubelet starts. */
  async letIn(machineId: string, clusterId: string, name: string): Promise<void> {
    const inside = this.#tenant.inside(clusterId)
    inside.members = [...inside.members.filter(other => other !== name), name]
    await this.register(machineId, clusterId, name)
  }

  /** The kubelet starts for the first time; the cluster refuses who is no member. */
  async register(machineId: string, clusterId: string, name: string): Promise<boolean> {
    const inside = this.#tenant.inside(clusterId)
    if (!inside.members.includes(name)) return false
    const now = this.#clock.now()
    this.#running.push({ machineId, clusterId, name, heardAt: now, silent: false })
    const ordinal = this.#running.length
    await this.#tenant.setNode(clusterId, {
      name, uid: `uid-${ordinal}`, unschedulable: false, podCidr: `10.0.${ordinal}.0/24`, internalIp: `10.213.4.${ordinal}`, labels: {}, taints: [], createdAt: now, pressures: [],
      ready: { status: 'True', since: now, reason: 'KubeletReady', message: 'kubelet is posting ready status', lastHeartbeatAt: now },
    })
    return true
  }

  async live(): Promise<void> {
    const now = this.#clock.now()
    for (const kubelet of this.#running) {
      const node = this.#tenant.inside(kubelet.clusterId).nodes.get(kubelet.name)
      if (!node || !this.#tenant.isUp(kubelet.clusterId)) continue
      const machine = this.#machines.made.get(kubelet.machineId)
      const speaks = !this.silenced && machine?.power === 'on' && machine.link === 'up' && now - (machine.lastOnAt ?? 0) >= BOOT_MS
      if (speaks) {
        const first = kubelet.heardAt <= (machine.lastOnAt ?? 0) || kubelet.silent
        kubelet.heardAt = now
        kubelet.silent = false
        this.#tenant.inside(kubelet.clusterId).leases.set(kubelet.name, now)
        if (first) await this.#say(kubelet, node, 'True', now)
      } else if (!kubelet.silent && now - kubelet.heardAt >= SILENCE_MS) {
        kubelet.silent = true
        await this.#say(kubelet, node, 'Unknown', now)
      }
    }
  }

  async #say({ clusterId, heardAt }: Kubelet, node: NodeSeen, status: 'True' | 'Unknown', now: number): Promise<void> {
    const turned = node.ready?.status !== status
    await this.#tenant.setNode(clusterId, {
      ...node,
      ready: {
        status, since: turned ? now : node.ready?.since ?? now, lastHeartbeatAt: heardAt,
        reason: status === 'True' ? 'KubeletReady' : 'NodeStatusUnknown', message: status === 'True' ? 'kubelet is posting ready status' : 'Kubelet stopped posting node status.',
      },
    })
  }
}
