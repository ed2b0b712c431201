import { BOOT_MS } from './kubelets.ts'
import { Users, shows } from './users.ts'
import { World, type WorldPorts } from '../world.ts'

/** A world with people in it, and short ways to say what is expected of it. */
export class Scene {
  readonly world: World
  readonly users: Users

  private constructor(world: World) {
    this.world = world
    this.users = new Users(world)
  }

  static async begin(wrap?: (ports: WorldPorts) => WorldPorts): Promise<Scene> {
    const scene = new Scene(new World(wrap))
    await scene.world.start()
    return scene
  }

  async cluster(id: string, what: string, withinMs?: number): Promise<void> {
    await this.world.until(`cluster ${what}`, async () => shows(await this.world.store.findCluster(id)) === what, withinMs)
  }

  async pool(id: string, what: string, withinMs?: number): Promise<void> {
    await this.world.until(`pool ${what}`, async () => shows(await this.world.store.findNodePool(id)) === what, withinMs)
  }

  async node(id: string, what: string, withinMs?: number): Promise<void> {
    await this.world.until(`node ${what}`, async () => shows(await this.world.store.findNode(id)) === what, withinMs)
  }

  async runningCluster(): Promise<string> {
    const id = await this.users.createCluster()
    await this.cluster(id, 'Running Ok')
    return id
  }

  /** A Running cluster with a pool and one Running node on a machine of that name. */
  async runningNode(name = 'shop-1'): Promise<{ cluster: string; pool: string; node: string; box: string }> {
    const cluster = await this.runningCluster()
    const pool = await this.users.createPool(cluster)
    await this.pool(pool, 'Running Ok')
    return { cluster, pool, ...await this.join(cluster, pool, name) }
  }

  async join(cluster: string, pool: string, name: string): Promise<{ node: string; box: string }> {
    const box = await this.users.addMachine(name)
    await this.world.until('the machine is there', async () => (await this.world.store.findMachine(box))?.machineId !== undefined)
    const node = await this.users.runScript(box, cluster, pool, name)
    await this.world.pass(BOOT_MS)
    await this.world.until('the kubelet is admitted', () => this.world.kubelets.register(box, cluster, name))
    await this.node(node, 'Running Ok')
    return { node, box }
  }

  async end(): Promise<void> {
    await this.world.stop()
  }
}
