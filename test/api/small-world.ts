import type { RegionPorts, RegionTime } from '#api/regions.ts'
import type { Store } from '#ports/store.ts'
import { CATALOGUE } from '#test/harness/world/addons.ts'
import { TinyRegion } from '#providers/simulated/testing/tiny-region.harness.ts'
import { MemoryMachines } from '#test/harness/world/machines.ts'
import { SteppedClock } from '#test/harness/stepped-clock.ts'
import { ApiUnderTest, THEIRS, clusterBody } from './api-under-test.ts'

/** A cluster of ours with one of everything, and a cluster of the other account; what a valid body of each action is there. */
export interface SmallWorld {
  readonly api: ApiUnderTest
  readonly machines: MemoryMachines
  readonly clusterId: string
  readonly nodePoolId: string
  readonly nodeId: string
  /** A cluster whose pools order machines. */
  readonly plantId: string
  readonly elasticPoolId: string
  readonly elasticNodeId: string
  readonly centralPoolId: string
  readonly centralNodeId: string
  readonly onboardingId: string
  readonly kubeconfigId: string
  readonly machineId: string
  readonly theirClusterId: string
  readonly theirPoolId: string
  /** By action; every one of them would be accepted. */
  readonly valid: Readonly<Record<string, Record<string, unknown>>>
}

export async function openSmallWorld(store?: Store, region: Partial<RegionPorts> = {}): Promise<SmallWorld> {
  const machines = new MemoryMachines(new SteppedClock())
  const tiny = await TinyRegion.open()
  const { faults, limits, users } = tiny.region
  // Its time stands still, so that no second ever passes in which the next calls would be let through.
  const unlimited = { readsPerSecond: undefined, writesPerSecond: undefined, perAction: {} }
  const api = await ApiUnderTest.open({ limits: unlimited }, { faults, quotas: limits, stock: limits, users, machines, machineAddresses: () => ({ first: '10.213.128.1', last: '10.213.255.254' }), setSchedulable: async () => {}, clock: standingClock(), addons: { catalogue: () => CATALOGUE }, ...region }, store)
  const clusterId = await api.createCluster('shop', 0)
  await api.makeClusterRun(clusterId)
  await tiny.cluster(clusterId)
  await users.putObject({ clusterId, kind: 'CustomResourceDefinition', name: 'widgets.example.com' })
  await users.putObject({ clusterId, kind: 'Widget', name: 'first' })
  const nodePoolId = await poolOf(api, clusterId, 'counters')
  const nodeId = await api.joinNode(clusterId, nodePoolId, 'shop-1')
  const [onboardingId = ''] = (await api.done('CreateBatchEdgeMachine', { ClusterId: clusterId, NodePoolId: nodePoolId, Name: 'tills', TTLHours: 1 })).Ids ?? []
  const kubeconfigId = (await api.done('CreateKubeconfig', { ClusterId: clusterId, Type: 'Private' })).Id ?? ''
  const machineId = (await api.done('AddMachine', { Name: 'box-1' })).Id ?? ''
  await machines.ensure({ id: machineId, name: 'box-1', address: '10.213.128.1', power: 'on', link: 'up' })
  await api.done('CreateAddon', { ClusterId: clusterId, Name: 'ingress-nginx', Version: 'v1.1.0' })
  await api.makeAddonRun(clusterId, 'ingress-nginx')
  const theirClusterId = await api.createCluster('theirs', 1, { as: THEIRS })
  await api.makeClusterRun(theirClusterId)
  const theirPoolId = (await api.done('CreateEdgeNodePool', { ClusterId: theirClusterId, Name: 'theirs' }, { as: THEIRS })).Id ?? ''
  const pool = { ClusterId: clusterId, NodePoolId: nodePoolId }
  const plantId = await api.createCluster('plant', 9)
  await api.makeClusterRun(plantId)
  const elasticPoolId = (await api.done('CreateEdgeNodePool', elasticBody(plantId, 'burst'))).Id ?? ''
  await api.makePoolRun(elasticPoolId)
  const elastic = { ClusterId: plantId, NodePoolId: elasticPoolId }
  const [elasticNodeId = ''] = (await api.done('CreateEdgeNode', { ...elastic, AutoCompleteConfig: directly('veen0001') })).Ids ?? []
  const centralPoolId = (await api.done('CreateNodePool', centralBody(plantId, 'central'))).Id ?? ''
  await api.makePoolRun(centralPoolId)
  const central = { ClusterId: plantId, NodePoolId: centralPoolId }
  const [centralNodeId = ''] = (await api.done('CreateNodes', { ...central, InstanceIds: ['i-0001'] })).Ids ?? []
  return {
    api, machines, clusterId, nodePoolId, nodeId, plantId, elasticPoolId, elasticNodeId, centralPoolId, centralNodeId, onboardingId, kubeconfigId, machineId, theirClusterId, theirPoolId,
    valid: {
      CreateCluster: clusterBody('second', 2),
      ListClusters: { Filter: { Ids: [clusterId] } },
      UpdateClusterConfig: { Id: clusterId, Description: 'another' },
      DeleteCluster: { Id: clusterId, CascadingDeleteResources: ['All'] },
      CreateEdgeNodePool: { ClusterId: clusterId, Name: 'second', KubernetesConfig: { Labels: [{ Key: 'a', Value: 'b' }], Taints: [{ Key: 'c', Value: 'd', Effect: 'NoSchedule' }] } },
      ListEdgeNodePools: { Filter: { ClusterIds: [clusterId] } },
      UpdateEdgeNodePoolConfig: { ClusterId: clusterId, Id: nodePoolId, Name: 'tills' },
      DeleteNodePool: { ClusterId: clusterId, Id: nodePoolId, RetainResources: [], CascadingDeleteResources: ['Ecs'] },
      ScaleUpEdgeNodePool: { ...elastic, DesiredReplicas: 3 },
      ScaleDownEdgeNodePool: { ...elastic, NodeIds: [elasticNodeId] },
      CreateEdgeNode: { ...pool, Name: 'direct-1', AutoCompleteConfig: { ...directly('veen0002'), Address: '', MachineAuth: { AuthType: 'Password', User: 'root', SSHPort: 22 } } },
      CreateNodePool: { ...centralBody(clusterId, 'second-central'), AutoScaling: { Enabled: true, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 1, Priority: 5, SubnetPolicy: 'ZoneBalance', Mode: 'Recycle' }, Tags: [{ Key: 'team', Value: 'shops' }] },
      CreateDefaultNodePool: { ClusterId: clusterId, NodeConfig: { NamePrefix: 'default' } },
      ListNodePools: { Filter: { Ids: [centralPoolId] }, Tags: [] },
      UpdateNodePoolConfig: { ClusterId: plantId, Id: centralPoolId, AutoScaling: { Enabled: false, DesiredReplicas: 1 }, NodeConfig: { ImageId: 'image-1' } },
      CreateNodes: { ...central, InstanceIds: ['i-0002'], KeepInstanceName: true, ImageId: 'image-1' },
      ListNodes: { Filter: { InstanceIds: ['i-0001'] } },
      DeleteNodes: { ...central, Ids: [centralNodeId], CascadingDeleteResources: ['Ecs'], RetainResources: [] },
      ListSupportedResourceTypes: { Filter: { ResourceTypes: ['Ecs'] } },
      CreateBatchEdgeMachine: { ...pool, Name: 'script', TTLHours: 1 },
      ListBatchEdgeMachine: { Filter: { Ids: [onboardingId] } },
      UpdateBatchEdgeMachine: { NodeId: onboardingId, ExpirationDate: 1_893_456_000 },
      DeleteBatchEdgeMachine: { ...pool, Ids: [onboardingId] },
      ListEdgeNodes: { Filter: { Ids: [nodeId] } },
      DeleteEdgeNodes: { ...pool, Ids: [nodeId], CascadingDeleteResources: ['Ecs'] },
      CreateKubeconfig: { ClusterId: clusterId, Type: 'Private' },
      ListKubeconfigs: { Filter: { ClusterIds: [clusterId] } },
      DeleteKubeconfigs: { ClusterId: clusterId, Ids: [kubeconfigId] },
      ExplainStatus: { Id: clusterId },
      ListStatusHistory: { Filter: { Ids: [clusterId] } },
      WatchChanges: { LastEventId: '0', ClusterIds: [clusterId], Kinds: ['Cluster', 'Node'] },
      ListLedger: { Filter: { ClusterIds: [clusterId] } },
      ListRegions: {},
      CreateRegion: { Region: 'ci-1', Seed: 7, StartAt: '2026-12-01T00:00:00Z', Paused: true, Speed: 60 },
      DeleteRegion: { Region: 'sim-1' },
      GetClock: {},
      SetClock: { Step: '61m' },
      GetBalance: {},
      ListScenarios: { Filter: { Names: ['node-failed-not-ready'] } },
      RunScenario: { Name: 'node-failed-not-ready', Seed: 7, StopAt: { Kind: 'Node', Phase: 'Failed', Condition: 'NotReady' } },
      CreateAddon: { ClusterId: clusterId, Name: 'log-collector', Version: 'v2.0.7' },
      ListAddons: { Filter: { ClusterIds: [clusterId] } },
      ListSupportedAddons: {},
      UpdateAddonConfig: { ClusterId: clusterId, Name: 'ingress-nginx', Config: '{"replicas":2}' },
      UpdateAddonVersion: { ClusterId: clusterId, Name: 'ingress-nginx', Version: 'v1.2.0' },
      DeleteAddon: { ClusterId: clusterId, Name: 'ingress-nginx', CascadingDeleteResources: ['Crd'] },
      SetBalance: { Amount: 1000 },
      AddMachine: { Name: 'box-2' },
      ListMachines: { Filter: { Ids: [machineId] } },
      SetMachine: { Id: machineId, Link: 'cut' },
      RemoveMachine: { Id: machineId },
      ExecInMachine: { Id: machineId, Command: ['true'] },
      SetNodeSchedulable: { Id: nodeId, Schedulable: false },
      InjectFault: { Port: 'machines', Call: 'ensure', Target: { Kind: 'Machine', Nth: 3 }, Effect: { Type: 'hang', For: '90s' }, Times: 2, Until: '2099-01-01T00:00:00Z' },
      ListFaults: {},
      ClearFault: { All: true },
      SetStock: { Kind: 'Machine', Area: 'bdcdn-zzcu02', Count: 2 },
      ListStock: {},
      SetQuota: { Kind: 'LoadBalancer', Limit: 5 },
      ListQuotas: {},
      PutObject: { ClusterId: clusterId, Kind: 'Widget', Namespace: 'default', Name: 'second', Finalizers: ['example.com/hold'] },
      DeleteObject: { ClusterId: clusterId, Kind: 'Widget', Name: 'first' },
      SetWorkload: { ClusterId: clusterId, Name: 'batch', Pods: 3, Cpu: '500m', MemoryMiB: 256 },
      SetImage: { Name: 'batch:latest', Present: false },
    },
  }
}

export function elasticBody(clusterId: string, name: string, scaling: object = {}): Record<string, unknown> {
  return {
    ClusterId: clusterId, Name: name, NodePoolType: 'edge-machine-pool', VpcId: 'vpc-edge1',
    ElasticConfig: {
      CloudServerIdentity: 'cloudserver-abcdefghijklmno', AutoScaleConfig: { Enabled: true, MinReplicas: 0, MaxReplicas: 10, DesiredReplicas: 0, Priority: 10, ...scaling },
      InstanceArea: { ClusterName: 'bdcdn-zzcu02', VpcIdentity: 'vpc-edge1' },
    },
  }
}

export function centralBody(clusterId: string, name: string): Record<string, unknown> {
  return {
    ClusterId: clusterId, Name: name,
    NodeConfig: { InstanceTypeIds: ['ecs.c1ie.xlarge'], SubnetIds: ['subnet-1'], Security: { Login: { Password: 'UHdkMTIzNDU2' }, SecurityGroupIds: ['sg-1'], SecurityStrategies: ['Hids'] } },
  }
}

export function directly(...instances: string[]): Record<string, unknown> {
  return { Enable: true, DirectAdd: true, DirectAddInstances: instances.map(InstanceIdentity => ({ InstanceIdentity, CloudServerIdentity: 'cloudserver-abcdefghijklmno' })) }
}

async function poolOf(api: ApiUnderTest, clusterId: string, name: string): Promise<string> {
  const id = (await api.done('CreateEdgeNodePool', { ClusterId: clusterId, Name: name })).Id ?? ''
  await api.makePoolRun(id)
  return id
}

/** A clock that shows what it was set to, and has no work. */
function standingClock(): RegionTime {
  let shown = { now: Date.UTC(2026, 11, 1), speed: 1, paused: true }
  return {
    read: () => shown,
    quietUntil: () => Number.POSITIVE_INFINITY,
    set: async ({ paused = shown.paused, speed = shown.speed, step = 0 }) => (shown = { now: shown.now + step, speed, paused }),
  }
}
