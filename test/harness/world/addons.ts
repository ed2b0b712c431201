import type { PodSeen } from '#model/addon/health.ts'
import type { AddonSpec, SupportedAddon } from '#model/addon/record.ts'
import { AddonConflict, AddonHeld, type AddonInstaller, type AddonSeen } from '#ports/addon-installer.ts'
import { TenantClusterUnreachable, type TenantClusterAddress } from '#ports/tenant-cluster.ts'
import type { SteppedClock } from '../stepped-clock.ts'

export const CATALOGUE: readonly SupportedAddon[] = [
  { name: 'core-dns', versions: [{ version: '1.12.1', kubernetes: ['1.34', '1.35'] }], podNetworkModes: ['Flannel'], deployModes: ['Unmanaged'], deployNodeTypes: ['Node'], necessary: 'Required', categories: ['Dns'] },
  {
    name: 'ingress-nginx', versions: [{ version: 'v1.0.0', kubernetes: ['1.33'] }, { version: 'v1.1.0', kubernetes: ['1.34', '1.35'] }, { version: 'v1.2.0', kubernetes: ['1.34', '1.35'] }],
    podNetworkModes: ['Flannel'], deployModes: ['Unmanaged', 'Managed'], deployNodeTypes: ['Node'], necessary: 'OnDemand', categories: ['Network'],
  },
  { name: 'log-collector', versions: [{ version: 'v2.0.7', kubernetes: ['1.34', '1.35'] }], podNetworkModes: ['Flannel'], deployModes: ['Unmanaged'], deployNodeTypes: ['Node'], necessary: 'OnDemand', categories: ['Monitor'] },
]

interface Installed {
  readonly spec: Pick<AddonSpec, 'name' | 'version' | 'config'>
  pods: PodSeen[]
}

/** Add-ons in memory: their pods are as a story wants them, and run at once where it wants nothing. */
export class MemoryAddons implements AddonInstaller {
  readonly installed = new Map<string, Installed>()
  /** By cluster and name. */
  readonly conflicts = new Map<string, string>()
  readonly held = new Map<string, string>()
  fails: Error | undefined
  unreachable = false
  schedulableNodes = 1
  /** The first pods of what is installed from now on. */
  newPods: readonly Partial<PodSeen>[] = [{}]
  readonly #clock: SteppedClock

  constructor(clock: SteppedClock) {
    this.#clock = clock
  }

  catalogue(): readonly SupportedAddon[] {
    return CATALOGUE
  }

  async ensure({ clusterId }: TenantClusterAddress, spec: Pick<AddonSpec, 'name' | 'version' | 'config'>): Promise<void> {
    this.#reach()
    const key = `${clusterId}/${spec.name}`
    const conflict = this.conflicts.get(key)
    if (conflict !== undefined) throw new AddonConflict(conflict)
    if (this.fails) throw this.fails
    const before = this.installed.get(key)
    this.installed.set(key, { spec, pods: before ? before.pods : this.newPods.map(pod => this.pod(pod)) })
  }

  async look({ clusterId }: TenantClusterAddress, name: string): Promise<AddonSeen | undefined> {
    this.#reach()
    const found = this.installed.get(`${clusterId}/${name}`)
    return found && {
      version: found.spec.version, schedulableNodes: this.schedulableNodes,
      workloads: [{ name: `Deployment/${name}`, desired: found.pods.length, available: found.pods.filter(pod => pod.ready).length, updated: found.pods.filter(pod => pod.current).length, pods: found.pods }],
    }
  }

  async ensureGone({ clusterId }: TenantClusterAddress, name: string): Promise<void> {
    this.#reach()
    const held = this.held.get(`${clusterId}/${name}`)
    if (held !== undefined) throw new AggregateError([new AddonHeld(held)], 'Removing an add-on')
    if (this.fails) throw new AggregateError([this.fails], 'Removing an add-on')
    this.installed.delete(`${clusterId}/${name}`)
  }

  pod(change: Partial<PodSeen> = {}): PodSeen {
    return { name: 'pod-1', ready: true, current: true, restarts: 0, runningSince: this.#clock.now(), ...change }
  }

  #reach(): void {
    if (this.unreachable) throw new TenantClusterUnreachable('connect ECONNREFUSED')
  }
}
