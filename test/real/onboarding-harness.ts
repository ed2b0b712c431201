import { randomBytes } from 'node:crypto'
import { createJoinListener, type JoinListener } from '#join/listener.ts'
import { bootstrapLine, publicKeyPin } from '#join/bootstrap-line.ts'
import { hashOf } from '#join/onboarding-token.ts'
import { makeAuthority, signer } from '#kubernetes/pki/certificate.ts'
import { KubernetesTenantCluster } from '#kubernetes/tenant-cluster/kubernetes-tenant-cluster.ts'
import { cidrOf, nthAddress } from '#model/cidr.ts'
import type { NodeRecord } from '#model/node/record.ts'
import { withFacts } from '#model/with-facts.ts'
import type { ControlPlaneOrder } from '#ports/control-plane-host.ts'
import type { NodeSeen } from '#ports/tenant-cluster.ts'
import { Boxes } from '#providers/local/boxes/boxes.ts'
import { RegionRegistry } from '#providers/local/registry/region-registry.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, addNodePool, becauseOf, onboarding, SCOPE } from '#test/harness/sample-records.ts'
import { addressPool, clock, installed, quietLog, Region, untilUsable } from './control-plane-harness.ts'

const HOUR = 3_600_000

/**
 * One real cluster with the join endpoint before it, wired by hand: records in memory, and the one thing that a node controller would do here (what is
 * seen of a Node goes into its record).
 */
export class OnboardingWorld implements AsyncDisposable {
  readonly store = new MemoryStore(() => Date.now())
  readonly tenant = new KubernetesTenantCluster(clock)
  readonly nodes = new Map<string, NodeSeen>()
  readonly region: Region
  readonly order: ControlPlaneOrder
  readonly boxes: Boxes
  readonly registry: RegionRegistry
  readonly #stop = new AbortController()
  #listener: JoinListener | undefined
  #watching: Promise<void> | undefined
  #machines: string[] = []
  #url = ''
  #pin = ''

  static async make(version: string): Promise<OnboardingWorld> {
    const region = await Region.make()
    const world = new OnboardingWorld(region, await region.order('c-shop', version))
    await using unlessMade = new AsyncDisposableStack()
    unlessMade.use(world)
    await world.#start()
    unlessMade.move()
    return world
  }

  private constructor(region: Region, order: ControlPlaneOrder) {
    const { gateway, prefix } = addressPool(region.network)
    this.region = region
    this.order = order
    this.boxes = new Boxes({ stateDir: region.stateFolder, hash: region.hash, bridge: region.network.bridge, gateway, prefixLength: prefix, clock, log: quietLog })
    this.registry = new RegionRegistry({ stateDir: region.stateFolder, listenHost: gateway, port: 5000, components: installed })
  }

  get gateway(): string { return addressPool(this.region.network).gateway }

  async #start(): Promise<void> {
    const { order, store, tenant } = this
    // Both have ended, however one of them did, before anything is taken away again.
    const failed = (await Promise.allSettled([this.region.host.ensure(order), this.registry.ensure(this.#stop.signal)])).find(result => result.status === 'rejected')
    if (failed) throw failed.reason
    await untilUsable(order)
    await tenant.ensureBase(order, { serviceCidr: order.serviceCidr, podCidr: order.podCidr, registry: this.registry.address() })
    await store.write(clock.now(), async (tx) => {
      await addCluster(tx, 'shop', SCOPE, { podCidrs: [order.podCidr], serviceCidrs: [order.serviceCidr], servedVersion: order.version })
      await tx.changeCluster('c-shop', { address: order.address }, becauseOf('test'))
      await tx.putSecret('cluster/c-shop/pki', JSON.stringify(order.pki))
      await addNodePool(tx, 'counters', 'c-shop')
    })
    await this.addOnboarding('n-script', 'token-of-the-script')
    this.#watching = tenant.watch(order, {
      onSync: async (list) => { for (const node of list) await this.#see(node) },
      onChange: (node) => this.#see(node),
      onGone: async (name) => { this.nodes.delete(name) },
      onLost: async () => {},
      isMember: async (name) => {
        const member = (await store.nodesOf({ clusterId: 'c-shop' })).find((node) => node.spec.name === name && !node.facts.deletion)
        return member?.spec.address === undefined ? member !== undefined : { address: member.spec.address }
      },
    }, this.#stop.signal)

    const authority = await makeAuthority('Edgehold join', clock.now(), HOUR)
    const sign = await signer(authority)
    const leaf = await sign({ commonName: 'join', use: 'server', ipAddresses: [this.gateway], now: clock.now(), validMs: HOUR })
    this.#pin = publicKeyPin(leaf.key)
    this.#url = `https://${this.gateway}:7443`
    this.#listener = createJoinListener({
      region: SCOPE.region, store, tenantCluster: tenant, components: installed, clock, log: quietLog, url: this.#url,
      tls: { key: leaf.key, certificate: leaf.cert, ca: authority.cert }, registry: this.registry.address(), realNow: () => performance.now(), randomBytes,
    })
    await this.#listener.listen(this.gateway, 7443)
  }

  async #see(node: NodeSeen): Promise<void> {
    this.nodes.set(node.name, node)
    await this.store.write(clock.now(), async (tx) => {
      await tx.lockCluster('c-shop')
      const record = (await tx.nodesOf({ clusterId: 'c-shop' })).find((one) => one.spec.name === node.name)
      if (!record) return
      const ready = node.ready?.status === 'True'
      await tx.changeNode(record.id, { facts: withFacts(record.facts, { ready: node.ready, ...(ready && record.facts.firstReadyAt === undefined ? { firstReadyAt: clock.now() } : {}) }) }, becauseOf('watch'))
    })
  }

  async addOnboarding(id: string, token: string, change: { expiresAt?: number } = {}): Promise<void> {
    await this.store.write(clock.now(), (tx) => tx.insertOnboarding(onboarding({ id, name: id, tokenHash: hashOf(token), expiresAt: Math.floor((clock.now() + HOUR) / 1000), ...change }), token))
  }

  line(token = 'token-of-the-script'): string {
    return bootstrapLine({ url: this.#url, pin: this.#pin, token })
  }

  address(number: number): string { return nthAddress(cidrOf(this.region.network.cidr), 100 + number) }

  async addBox(number: number, name = `shop-${number}`, power: 'on' | 'off' = 'on'): Promise<string> {
    const id = `mbox${number}`
    if (!this.#machines.includes(id)) this.#machines.push(id)
    await this.boxes.ensure({ id, name, address: this.address(number), power, link: 'up' })
    return id
  }

  /** Runs a command on a box; answers exit code and output. */
  run(id: string, command: string, deadlineMs = 240_000): Promise<{ exitCode: number; output: string }> {
    return this.boxes.exec(id, ['sh', '-c', command], { signal: AbortSignal.timeout(deadlineMs) })
  }

  async record(name: string): Promise<NodeRecord | undefined> {
    return (await this.store.nodesOf({ clusterId: 'c-shop' })).find((node) => node.spec.name === name)
  }

  async stopListening(): Promise<void> {
    await this.#listener?.close(AbortSignal.timeout(1_000))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    // Each of them goes, whatever becomes of those before it, and the region last.
    await using all = new AsyncDisposableStack()
    all.use(this.region)
    all.defer(() => this.registry.ensureGone())
    all.defer(() => this.boxes.ensureAllStopped())
    all.defer(async () => { await Promise.all(this.#machines.map((id) => this.boxes.ensureGone(id))) })
    all.defer(() => this.stopListening())
    all.defer(async () => { await this.#watching })
  }
}
