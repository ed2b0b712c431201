import type { NotReady, RegionPorts } from '#api/regions.ts'
import type { Components } from '#ports/components.ts'
import type { AddressedCluster } from '#ports/tenant-cluster.ts'
import type { MachineLogins } from '#ports/machine-logins.ts'
import type { RegionQuotas } from '#ports/quotas.ts'
import type { Boxes } from '#providers/local/boxes/boxes.ts'
import { addressPool } from '#providers/local/host-network/settings.ts'
import type { RegionOverlay } from '#providers/local/overlay/region-overlay.ts'
import type { ComponentSupply } from '../component-supply.ts'
import { systemClock } from '../system-clock.ts'
import { rangesOf } from './network.ts'
import type { LocalParts } from './parts.ts'

export interface JoinEndpoint {
  /** The one line that a machine runs. */
  line(token: string): string
  /** Listens until aborted; calls under way then get their answers. */
  serve(signal: AbortSignal): Promise<void>
}

export type RegionPart = 'join' | 'registry' | 'outside' | 'overlay'

/** The local region as the API sees it, from the first moment on: it takes orders while its network and components are still being prepared. */
export class LocalRegionFace implements RegionPorts {
  readonly kind = 'Local' as const
  parts: LocalParts | undefined
  overlay: RegionOverlay | undefined
  join: JoinEndpoint | undefined
  failure: string | undefined
  /** There while the region's controllers run here. */
  logins: MachineLogins | undefined
  /** By which clients outside reach the region's API servers. */
  advertised: string | undefined
  /** What does not run although everything is there for it, one sentence each; it is tried again by itself. */
  readonly #obstacles = new Map<RegionPart, string>()
  readonly #components: Components
  readonly #supply: ComponentSupply
  readonly #setSchedulable: LocalRegionFace['setSchedulable']
  readonly quotas: RegionQuotas

  constructor(components: Components, supply: ComponentSupply, quotas: RegionQuotas, setSchedulable: LocalRegionFace['setSchedulable']) {
    this.#components = components
    this.#supply = supply
    this.quotas = quotas
    this.#setSchedulable = setSchedulable
  }

  ready(): { ready: boolean; text: string } {
    if (this.failure !== undefined) return { ready: false, text: this.failure }
    if (!this.parts) return { ready: false, text: 'its network is being prepared' }
    if (this.#obstacles.size > 0) return { ready: false, text: [...this.#obstacles.values()].join(' ') }
    return { ready: this.#supply.isWhole(), text: this.#supply.text() }
  }

  /** Says what stands in the way of one part, or that nothing does any more. Answers whether that is news. */
  setObstacle(part: RegionPart, sentence: string | undefined): boolean {
    if (this.#obstacles.get(part) === sentence) return false
    if (sentence === undefined) this.#obstacles.delete(part)
    else this.#obstacles.set(part, sentence)
    return true
  }

  now(): number {
    return systemClock.now()
  }

  get addons() {
    return this.parts?.addons
  }

  servedVersions(): readonly string[] {
    return this.#components.kubernetesVersions()
  }

  reservedRanges(): ReturnType<RegionPorts['reservedRanges']> {
    return this.parts ? rangesOf(this.parts.network) : []
  }

  refusesWrites(): NotReady | undefined {
    if (this.failure !== undefined) return { why: this.failure, passes: false }
    return this.parts ? undefined : { why: 'its network is being prepared', passes: true }
  }

  get machines(): Boxes | undefined {
    return this.parts?.machines
  }

  machineAddresses(): { first: string; last: string } {
    if (!this.parts) throw new Error('the region has no network yet')
    const { first, last } = addressPool(this.parts.network)
    return { first, last }
  }

  /** Undefined until the join endpoint's key is known, moments after the network. */
  bootstrapLine(token: string): string | undefined {
    return this.join?.line(token)
  }

  publicAddress(): string | undefined {
    return this.advertised
  }

  setSchedulable(cluster: AddressedCluster, nodeName: string, schedulable: boolean): Promise<void> {
    return this.#setSchedulable(cluster, nodeName, schedulable)
  }
}
