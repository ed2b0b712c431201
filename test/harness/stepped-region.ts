import assert from 'node:assert/strict'
import type { ActionName, Calls, Change, ListOf, Node, Status } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { ApiError } from '#client/errors.ts'
import { until } from './command.ts'

const PATIENCE = { timeoutMs: 120_000 }
/** Enough for a control plane, a boot and a join, whatever their drawn times. */
const BUILT = '90s'

interface Scaling { readonly Enabled?: boolean; readonly MinReplicas?: number; readonly MaxReplicas?: number; readonly DesiredReplicas?: number; readonly Mode?: string }

/** A simulated region whose clock stands still and is stepped, as a foreign client meets it: by calls over the wire alone. */
export class SteppedRegion {
  readonly name: string
  readonly client: EdgeholdClient

  constructor(client: EdgeholdClient) {
    this.name = client.region
    this.client = client
  }

  call<Name extends ActionName>(action: Name, body: object = {}): Promise<Calls[Name]> {
    return this.client.call(action, body, PATIENCE)
  }

  /** Resolves when nothing is due up to there, also where that takes longer than one call waits. */
  async step(...spans: readonly string[]): Promise<void> {
    for (const Step of spans)
      if ((await this.call('SetClock', { Step })).Behind !== undefined) await until(`the step of ${Step} to be done`, async () => (await this.call('GetClock')).Behind === undefined, PATIENCE.timeoutMs)
  }

  async now(): Promise<number> {
    return Date.parse((await this.call('GetClock')).Now)
  }

  /** The error that a call is refused with. */
  async refused(action: ActionName, body: object): Promise<ApiError> {
    return await this.call(action, body).then(answer => assert.fail(`${action} is accepted: ${JSON.stringify(answer)}`), (error: unknown) => error instanceof ApiError ? error : Promise.reject(error as Error))
  }

  createCluster(more: object = {}): Promise<{ readonly Id: string }> {
    return this.call('CreateCluster', {
      Name: 'shop', Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-1'] },
      PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.27.0.0/16'] } }, ServicesConfig: { ServiceCidrsv4: ['172.26.0.0/20'] }, ...more,
    })
  }

  async runningCluster(): Promise<string> {
    const { Id: id } = await this.createCluster()
    await this.step(BUILT)
    assert.equal(await this.cluster(id), 'Running/Ok')
    return id
  }

  async staticPool(ClusterId: string, Name = 'counters'): Promise<string> {
    const { Id: id } = await this.call('CreateEdgeNodePool', { ClusterId, Name })
    await this.step('10s')
    return id
  }

  /** Nothing of it is awaited. */
  async elasticPool(ClusterId: string, scaling: Scaling = {}): Promise<string> {
    const AutoScaleConfig = { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 1, Priority: 10, ...scaling }
    const { Id: id } = await this.call('CreateEdgeNodePool', { ClusterId, Name: 'burst', NodePoolType: 'edge-machine-pool', ElasticConfig: { CloudServerIdentity: 'cloudserver-edge', AutoScaleConfig, InstanceArea: { AreaName: 'beijing', Isp: 'CMCC' } } })
    return id
  }

  async script(ClusterId: string, NodePoolId: string, TTLHours = 24): Promise<string> {
    const { Ids: [id = ''] } = await this.call('CreateBatchEdgeMachine', { ClusterId, NodePoolId, Name: 'tills', TTLHours })
    return id
  }

  /** A machine that is up; answers its id. */
  async machine(Name: string): Promise<string> {
    const { Id: id } = await this.call('AddMachine', { Name })
    await this.step('30s')
    return id
  }

  /** A cluster with a static pool and one machine that joined by its script. */
  async scriptNode(): Promise<{ readonly cluster: string; readonly pool: string; readonly script: string; readonly machine: string; readonly node: Node }> {
    const cluster = await this.runningCluster(), pool = await this.staticPool(cluster), script = await this.script(cluster, pool), machine = await this.machine('till-1')
    await this.call('SetMachine', { Id: machine, RunScript: script })
    await this.step(BUILT)
    const [node] = await this.client.all('ListEdgeNodes', { Filter: { NodePoolIds: [pool] } })
    assert.equal(node && pairOf(node.Status), 'Running/Ok')
    return { cluster, pool, script, machine, node: node! }
  }

  async cluster(id: string): Promise<string> {
    return shown(await this.call('ListClusters', { Filter: { Ids: [id] } }))
  }

  async pool(id: string): Promise<string> {
    return shown(await this.call('ListEdgeNodePools', { Filter: { Ids: [id] } }))
  }

  async addon(ClusterId: string, Name: string): Promise<string> {
    return shown(await this.call('ListAddons', { Filter: { ClusterIds: [ClusterId], Names: [Name] } }))
  }

  /** What its nodes show, sorted. */
  async nodes(pool: string): Promise<string[]> {
    return (await this.client.all('ListEdgeNodes', { Filter: { NodePoolIds: [pool] } })).map(node => pairOf(node.Status)).toSorted()
  }

  /** Every status that one had, oldest first. */
  async told(id: string): Promise<readonly Change[]> {
    return (await this.client.all('ListStatusHistory', { Filter: { Ids: [id] } })).toReversed()
  }
}

function shown({ Items: [item] }: ListOf<{ readonly Status: Status }>): string {
  return item ? pairOf(item.Status) : 'absent'
}

export function pairOf(status: Status | null): string {
  return status ? `${status.Phase}/${status.Conditions.map(condition => condition.Type).join('+')}` : 'gone'
}
