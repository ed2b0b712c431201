import type { PodSeen } from '#model/addon/health.ts'
import type { AddonFacts, AddonRecord, AddonSpec } from '#model/addon/record.ts'
import { addonId } from '#model/addon/record.ts'
import { ACCOUNT, REGION } from '../world.ts'
import { Scene } from './scene.ts'
import { shows } from './users.ts'

export const NAME = 'ingress-nginx'

/** A Running cluster and what its user and its pods do. */
export class AddonScene {
  readonly scene: Scene
  readonly cluster: string
  readonly id: string

  private constructor(scene: Scene, cluster: string) {
    this.scene = scene
    this.cluster = cluster
    this.id = addonId(cluster, NAME)
  }

  static async begin(): Promise<AddonScene> {
    const scene = await Scene.begin()
    return new AddonScene(scene, await scene.runningCluster())
  }

  get world() {
    return this.scene.world
  }

  async create(): Promise<void> {
    const now = this.world.clock.now()
    await this.world.store.write(now, async tx => {
      await tx.insertAddon({
        id: this.id, accountId: ACCOUNT, region: REGION, clusterId: this.cluster, spec: { name: NAME, version: 'v1.1.0', deployMode: 'Unmanaged', deployNodeType: 'Node' },
        facts: { operation: { action: 'CreateAddon', since: now }, reasons: {}, obstacles: [] },
      }, { evidence: [], operation: 'CreateAddon' })
      await tx.enqueue({ kind: 'addon', id: this.id, region: REGION })
    })
  }

  async change(change: { spec?: Partial<AddonSpec>; facts?: Partial<AddonFacts> }): Promise<void> {
    await this.world.store.write(this.world.clock.now(), async tx => {
      const addon = (await tx.lockAddon(this.id))!
      await tx.changeAddon(this.id, { spec: { ...addon.spec, ...change.spec }, facts: { ...addon.facts, ...change.facts } }, { evidence: [] })
      await tx.enqueue({ kind: 'addon', id: this.id, region: REGION })
    })
  }

  async update(version: string): Promise<void> {
    await this.change({ spec: { version }, facts: { operation: { action: 'UpdateAddonVersion', since: this.world.clock.now() } } })
  }

  async remove(): Promise<void> {
    await this.change({ facts: { obstacles: [], deletion: { requestedAt: this.world.clock.now(), by: 'call', crds: 'Delete' } } })
  }

  /** The pods become so, and the region tells of it. */
  async pods(...pods: Partial<PodSeen>[]): Promise<void> {
    const installed = this.world.addons.installed.get(`${this.cluster}/${NAME}`)!
    installed.pods = pods.map((pod, index) => this.world.addons.pod({ name: `pod-${index + 1}`, ...pod }))
    await this.world.store.queue.enqueue({ kind: 'addon', id: this.id, region: REGION })
  }

  async shows(what: string, withinMs?: number): Promise<void> {
    await this.world.until(`add-on ${what}`, async () => shows(await this.world.store.findAddon(this.id)) === what, withinMs)
  }

  async said(): Promise<AddonRecord['said']> {
    return (await this.world.store.findAddon(this.id))!.said
  }

  async because(): Promise<string> {
    return (await this.said()).because
  }

  /** The pairs that its history tells, oldest first. */
  async history(): Promise<readonly string[]> {
    const { items } = await this.world.store.listHistory({ accountId: ACCOUNT, region: REGION }, { ids: [this.id] }, { number: 1, size: 100 })
    return items.map(({ status }) => status ? `${status.phase} ${status.conditions.join('+')}` : 'gone').toReversed()
  }
}
