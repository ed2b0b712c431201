/** What benchmarks order of an installation through its API, as any caller would. */
import type { EdgeholdClient } from '#client/client.ts'
import type { Node } from '#client/calls.ts'
import { until } from '#test/harness/command.ts'

/** Ranges that overlap neither one another nor those of regions; up to twenty-four clusters side by side. */
export interface ClusterOrder { readonly name: string; readonly pods?: string; readonly services?: string }

export async function createCluster(client: EdgeholdClient, { name, pods = '172.20.0.0/16', services = '172.30.0.0/20' }: ClusterOrder): Promise<string> {
  const { Id } = await client.call('CreateCluster', {
    Name: name, Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-bench'] },
    PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: [pods] } }, ServicesConfig: { ServiceCidrsv4: [services] },
  })
  return Id
}

/** Asks as often as the plain script that it is held against: whoever asks takes processor time from what starts. */
export async function clusterRuns(client: EdgeholdClient, ...ids: readonly string[]): Promise<void> {
  await until('all clusters to be Running', async () => {
    const clusters = await client.all('ListClusters', { Filter: { Ids: ids } })
    const failed = clusters.find(cluster => cluster.Status.Phase === 'Failed')
    if (failed) throw new Error(`Cluster ${failed.Name} is ${failed.Status.Phase}`)
    return clusters.length === ids.length && clusters.every(cluster => pairOf(cluster) === 'Running/Ok')
  }, 300_000, 40)
}

export async function deleteCluster(client: EdgeholdClient, id: string): Promise<void> {
  await client.call('DeleteCluster', { Id: id, CascadingDeleteResources: ['All'] })
  await until(`cluster ${id} to be gone`, async () => (await client.all('ListClusters', { Filter: { Ids: [id] } })).length === 0, 300_000)
}

/** A static pool and a line that makes a machine a node of it. */
export async function createPool(client: EdgeholdClient, clusterId: string): Promise<{ poolId: string; line: string }> {
  const { Id: poolId } = await client.call('CreateEdgeNodePool', { ClusterId: clusterId, Name: 'counters', NodePoolType: 'edge-machine-set' })
  await until('the pool to be Running', async () => (await client.all('ListEdgeNodePools', { Filter: { Ids: [poolId] } }))[0]?.Status.Phase === 'Running', 60_000, 50)
  const { Ids } = await client.call('CreateBatchEdgeMachine', { ClusterId: clusterId, NodePoolId: poolId, Name: 'bench', TTLHours: 24 })
  const line = await until('the onboarding line', async () => {
    const item = (await client.all('ListBatchEdgeMachine', { Filter: { Ids, NeedBootstrapScript: 'true' } }))[0]
    return item && 'BootstrapScript' in item ? item.BootstrapScript : undefined
  }, 60_000)
  return { poolId, line: String(line) }
}

/** `Phase/Condition`. */
export function pairOf(item: { readonly Status: { readonly Phase: string; readonly Conditions: readonly { readonly Type: string }[] } } | undefined): string {
  return item ? `${item.Status.Phase}/${item.Status.Conditions.map(condition => condition.Type).join('+')}` : 'absent'
}

export async function findNode(client: EdgeholdClient, clusterId: string, name: string): Promise<Node | undefined> {
  return (await client.call('ListEdgeNodes', { Filter: { ClusterIds: [clusterId], Name: name } })).Items.find(node => node.Name === name)
}

/** Asks ListEdgeNodes again and again; answers the moment (performance.now) of the first answer that shows the pair. */
export async function nodeShows(client: EdgeholdClient, clusterId: string, name: string, pair: string, deadlineMs: number, everyMs: number): Promise<number> {
  let last = ''
  return until(`${name} to be ${pair}`, async () => {
    last = pairOf(await findNode(client, clusterId, name))
    if (last !== pair) throw new Error(`it is ${last}`)
    return performance.now()
  }, deadlineMs, everyMs)
}
