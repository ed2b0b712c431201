import { after, before, beforeEach } from 'node:test'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { MemoryStore } from './memory-store.ts'
import { SimulatedServer } from './simulated-server.ts'

/** What a cluster is created with where nothing of it matters. */
export const ANY_CLUSTER = {
  Name: 'shop', Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-shop'] },
  PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.27.0.0/16'] } }, ServicesConfig: { ServiceCidrsv4: ['172.26.0.0/20'] },
}

interface Shown { readonly Phase: string; readonly Conditions: readonly { readonly Type: string }[] }

/** `Running/Ok`, `Failed/Balance+ResourceCleanupFailed`: the status of an item of a list. */
export function pairOf(item: Record<string, unknown>): string {
  const { Phase, Conditions } = item['Status'] as Shown
  return `${Phase}/${Conditions.map(({ Type }) => Type).join('+')}`
}

/** The machine that a pool ordered for a node. */
export function machineOf(node: Record<string, unknown> | undefined): string {
  return `m${String(node?.['Id']).slice(1)}`
}

/** A server in memory for a suite of tests, and for each of them a region of its own whose clock stands still. Called once inside the suite. */
export class FreshRegions {
  #server: SimulatedServer | undefined
  #number = 0
  readonly #worlds = new MemoryWorldStore()
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
    before(async () => {
      const store = new MemoryStore(() => Date.now())
      this.#server = await SimulatedServer.open({ store, queue: store.queue, worldStore: this.#worlds })
    })
    after(() => this.#server?.close())
    beforeEach(async () => {
      this.#number += 1
      await this.server.done('CreateRegion', { Region: this.region, Seed: 7, Paused: true })
    })
  }

  get server(): SimulatedServer {
    if (!this.#server) throw new Error('the suite has not begun')
    return this.#server
  }

  /** The name of the region of this test. */
  get region(): string {
    return `${this.#prefix}-${this.#number}`
  }

  done(action: string, body: object = {}): ReturnType<SimulatedServer['done']> {
    return this.server.done(action, body, this.region)
  }

  step(time: string): ReturnType<SimulatedServer['done']> {
    return this.done('SetClock', { Step: time })
  }

  /** The id of a cluster that runs. */
  async cluster(): Promise<string> {
    const { Id = '' } = await this.done('CreateCluster', ANY_CLUSTER)
    await this.step('60s')
    return Id
  }

  /** A cluster with a pool that orders machines and has none yet; `to` sizes it. */
  async machinePool(): Promise<{ readonly ClusterId: string; readonly NodePoolId: string; readonly to: (DesiredReplicas: number) => ReturnType<SimulatedServer['done']> }> {
    const ClusterId = await this.cluster()
    const { Id: NodePoolId = '' } = await this.done('CreateEdgeNodePool', {
      ClusterId, Name: 'burst', NodePoolType: 'edge-machine-pool',
      ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 0, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
    })
    await this.step('1m')
    return { ClusterId, NodePoolId, to: DesiredReplicas => this.done('ScaleUpEdgeNodePool', { ClusterId, NodePoolId, DesiredReplicas }) }
  }

  async nodes(): Promise<readonly Record<string, unknown>[]> {
    return (await this.done('ListEdgeNodes', { PageSize: 100 })).Items ?? []
  }

  /** What the region's nodes show, in alphabetical order. */
  async nodePairs(): Promise<readonly string[]> {
    return (await this.nodes()).map(pairOf).toSorted()
  }

  /** The power of every machine in the world of the region, whether we know of it or not. */
  worldPowers(): Promise<readonly string[]> {
    return this.#ofWorld('power')
  }

  /** The same of its link. */
  worldLinks(): Promise<readonly string[]> {
    return this.#ofWorld('link')
  }

  /** How many pods of each workload of users are on which node, as `batch: 2 on burst-1`; `nowhere` where they wait. */
  async podPlaces(): Promise<readonly string[]> {
    const workloads = (await this.#worlds.ofKind([this.region], 'workload')).map(({ text }) => JSON.parse(text) as { namespace: string; name: string; pods?: readonly { node?: string }[] })
    return workloads.filter(({ namespace }) => namespace === 'default').flatMap(({ name, pods = [] }) => Object.entries(Object.groupBy(pods, ({ node }) => node ?? 'nowhere')).map(([node, there]) => `${name}: ${there?.length ?? 0} on ${node}`)).toSorted()
  }

  async #ofWorld(member: 'power' | 'link'): Promise<readonly string[]> {
    return (await this.#worlds.ofKind([this.region], 'machine')).map(({ text }) => String((JSON.parse(text) as Record<string, unknown>)[member])).toSorted()
  }
}
