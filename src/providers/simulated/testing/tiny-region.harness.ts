import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import type { RegionChange } from '#ports/region-events.ts'
import type { TenantClusterAddress } from '#ports/tenant-cluster.ts'
import { openSimulatedRegion, type SimulatedRegion, type SimulatedRegionOptions } from '../simulated-region.ts'
import { onboardingLine } from '../machines/onboarding-line.ts'
import { MemoryWorldStore } from '../store/memory-world-store.ts'

const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => SILENT }
const PEM = 'keys'
const PKI = { caCert: PEM, caKey: PEM, frontProxyCaCert: PEM, frontProxyCaKey: PEM, etcdCaCert: PEM, etcdCaKey: PEM, serviceAccountKey: PEM, serviceAccountPublicKey: PEM }
export const NOON = Date.UTC(2026, 10, 26, 12)

/** One simulated region whose time a test moves, event by event; joins are admitted as the test says. */
export class TinyRegion {
  static readonly pki = PKI
  now = NOON
  /** What changed, with the seconds since the beginning. */
  readonly told: { at: number; change: RegionChange }[] = []
  region!: SimulatedRegion
  /** Whoever is told something says that it was heard. */
  hears = true
  /** To which cluster machines are admitted. */
  admitsTo: string | undefined
  /** Machines that join are told so. */
  #cordoned: true | undefined
  readonly #options: SimulatedRegionOptions

  private constructor(options: Partial<SimulatedRegionOptions>) {
    const clock: Clock = { now: () => this.now, sleep: async () => {} }
    this.#options = { name: 'sim-1', seed: 1, clock, store: new MemoryWorldStore(), log: SILENT, serverOf: () => 'https://127.0.0.1:1/', ...options }
  }

  static async open(options: Partial<SimulatedRegionOptions> = {}): Promise<TinyRegion> {
    const tiny = new TinyRegion(options)
    await tiny.restart()
    return tiny
  }

  /** The process dies and another one opens the same world. */
  async restart(): Promise<void> {
    this.region = await openSimulatedRegion(this.#options)
  }

  async pass(ms: number): Promise<void> {
    const end = this.now + ms
    for (;;) {
      const next = this.region.events.nextAt()
      if (next === undefined || next > end) break
      this.now = Math.max(this.now, next)
      for (const change of await this.region.events.liveUntil(this.now)) {
        this.told.push({ at: (this.now - NOON) / 1_000, change })
        await this.#answer(change)
      }
      if (this.hears) this.region.events.heard()
    }
    this.now = end
  }

  async cluster(id = 'c1', name = 'shop'): Promise<TenantClusterAddress> {
    await this.region.host.ensure({ clusterId: id, name, version: 'v1.35.4', address: '10.213.4.7', podCidr: '10.0.0.0/16', serviceCidr: '10.1.0.0/16', maxPodsPerNode: 64, pki: PKI })
    await this.pass(20_000)
    const address = { clusterId: id, address: '10.213.4.7', pki: PKI }
    await this.region.tenant.ensureBase(address, { serviceCidr: '10.1.0.0/16', podCidr: '10.0.0.0/16', registry: 'registry:5000' })
    return address
  }

  /** A machine that joins the cluster at its first start, and has joined. */
  async node(cluster: TenantClusterAddress, name = 'shop-1', id = 'm1', cordoned?: true): Promise<void> {
    this.#cordoned = cordoned
    this.admitsTo = cluster.clusterId
    await this.region.tenant.ensureMembers(cluster, [...new Set([...this.members, name])])
    this.members.push(name)
    await this.region.machines.ensure({ id, name, address: '10.213.4.9', power: 'on', link: 'up', firstBoot: onboardingLine('https://sim-1', 'token-1') })
    await this.pass(30_000)
  }

  readonly members: string[] = []

  async ready(cluster: TenantClusterAddress, name = 'shop-1'): Promise<string> {
    return (await this.region.tenant.getNode(cluster, name))?.ready?.status ?? 'gone'
  }

  kinds(): string {
    return this.told.map(({ change }) => change.kind === 'Report' ? `Report ${change.outcome} ${change.step}` : change.kind).join(', ')
  }

  async #answer(change: RegionChange): Promise<void> {
    if (change.kind !== 'Join' || this.admitsTo === undefined) return
    await this.region.onboarding.admitted(change.machineId, { clusterId: this.admitsTo, nodeName: change.hostname, nodeId: `n${change.machineId.slice(1)}`, ...this.#cordoned && { begins: { labels: [], taints: [], cordoned: this.#cordoned } } })
  }
}
