import type { Store } from '#ports/store.ts'
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
  readonly onboardingId: string
  readonly kubeconfigId: string
  readonly machineId: string
  readonly theirClusterId: string
  readonly theirPoolId: string
  /** By action; every one of them would be accepted. */
  readonly valid: Readonly<Record<string, Record<string, unknown>>>
}

export async function openSmallWorld(store?: Store): Promise<SmallWorld> {
  const machines = new MemoryMachines(new SteppedClock())
  const api = await ApiUnderTest.open({}, { machines, machineAddresses: () => ({ first: '10.213.128.1', last: '10.213.255.254' }), setSchedulable: async () => {} }, store)
  const clusterId = await api.createCluster('shop', 0)
  await api.makeClusterRun(clusterId)
  const nodePoolId = await poolOf(api, clusterId, 'counters')
  const nodeId = await api.joinNode(clusterId, nodePoolId, 'shop-1')
  const [onboardingId = ''] = (await api.done('CreateBatchEdgeMachine', { ClusterId: clusterId, NodePoolId: nodePoolId, Name: 'tills', TTLHours: 1 })).Ids ?? []
  const kubeconfigId = (await api.done('CreateKubeconfig', { ClusterId: clusterId, Type: 'Private' })).Id ?? ''
  const machineId = (await api.done('AddMachine', { Name: 'box-1' })).Id ?? ''
  await machines.ensure({ id: machineId, name: 'box-1', address: '10.213.128.1', power: 'on', link: 'up' })
  const theirClusterId = await api.createCluster('theirs', 1, { as: THEIRS })
  await api.makeClusterRun(theirClusterId)
  const theirPoolId = (await api.done('CreateEdgeNodePool', { ClusterId: theirClusterId, Name: 'theirs' }, { as: THEIRS })).Id ?? ''
  const pool = { ClusterId: clusterId, NodePoolId: nodePoolId }
  return {
    api, machines, clusterId, nodePoolId, nodeId, onboardingId, kubeconfigId, machineId, theirClusterId, theirPoolId,
    valid: {
      CreateCluster: clusterBody('second', 2),
      ListClusters: { Filter: { Ids: [clusterId] } },
      UpdateClusterConfig: { Id: clusterId, Description: 'another' },
      DeleteCluster: { Id: clusterId, CascadingDeleteResources: ['All'] },
      CreateEdgeNodePool: { ClusterId: clusterId, Name: 'second', KubernetesConfig: { Labels: [{ Key: 'a', Value: 'b' }], Taints: [{ Key: 'c', Value: 'd', Effect: 'NoSchedule' }] } },
      ListEdgeNodePools: { Filter: { ClusterIds: [clusterId] } },
      UpdateEdgeNodePoolConfig: { ClusterId: clusterId, Id: nodePoolId, Name: 'tills' },
      DeleteNodePool: { ClusterId: clusterId, Id: nodePoolId, RetainResources: [], CascadingDeleteResources: ['Ecs'] },
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
      ListLedger: { Filter: { ClusterIds: [clusterId] } },
      ListRegions: {},
      GetBalance: {},
      SetBalance: { Amount: 1000 },
      AddMachine: { Name: 'box-2' },
      ListMachines: { Filter: { Ids: [machineId] } },
      SetMachine: { Id: machineId, Link: 'cut' },
      RemoveMachine: { Id: machineId },
      ExecInMachine: { Id: machineId, Command: ['true'] },
      SetNodeSchedulable: { Id: nodeId, Schedulable: false },
    },
  }
}

async function poolOf(api: ApiUnderTest, clusterId: string, name: string): Promise<string> {
  const id = (await api.done('CreateEdgeNodePool', { ClusterId: clusterId, Name: name })).Id ?? ''
  await api.makePoolRun(id)
  return id
}
