import type { Cluster, Machine, Node, NodePool, Onboarding } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { DEFAULT_NODE_POOL_NAME } from '#model/naming.ts'
import { CommandFailed, NothingThere } from './errors.ts'

/** Things by their name or id; names are matched whole. Throws CommandFailed that says what there is instead. */
export async function findCluster(client: EdgeholdClient, name: string): Promise<Cluster> {
  return pick('cluster', name, await client.all('ListClusters', looksLikeId('c', name) ? { Filter: { Ids: [name] } } : {}), 'edgehold list cluster')
}

export async function findPool(client: EdgeholdClient, name: string, cluster?: string): Promise<NodePool> {
  const pools = await client.all('ListEdgeNodePools', { Filter: await filterOf(client, 'p', name, cluster) })
  // `create pool default --central` makes one that the product calls otherwise.
  const isDefault = name === 'default' && !pools.some(pool => pool.Name === name) && pools.some(pool => pool.Name === DEFAULT_NODE_POOL_NAME)
  return pick('pool', isDefault ? DEFAULT_NODE_POOL_NAME : name, pools, `edgehold list pool${within(cluster)}`)
}

export async function findNode(client: EdgeholdClient, name: string, cluster?: string): Promise<Node> {
  return pick('node', name, await client.all('ListEdgeNodes', { Filter: await filterOf(client, 'n', name, cluster) }), `edgehold list node${within(cluster)}`)
}

export async function findOnboarding(client: EdgeholdClient, name: string, cluster?: string): Promise<Onboarding> {
  return pick('onboarding script', name, await client.all('ListBatchEdgeMachine', { Filter: await filterOf(client, 'n', name, cluster) }), `edgehold list onboarding${within(cluster)}`)
}

export async function findMachine(client: EdgeholdClient, name: string): Promise<Machine> {
  return pick('machine', name, await client.all('ListMachines', { Filter: looksLikeId('m', name) ? { Ids: [name] } : { Names: [name] } }), 'edgehold machine list')
}

async function filterOf(client: EdgeholdClient, letter: string, name: string, cluster: string | undefined): Promise<object> {
  return {
    ...looksLikeId(letter, name) && { Ids: [name] },
    ...cluster !== undefined && { ClusterIds: [(await findCluster(client, cluster)).Id] },
  }
}

/** An id, unless something is called like one: then the caller's list has it by name. */
function looksLikeId(letter: string, text: string): boolean {
  return text.startsWith(letter) && /^[a-z][0-9a-v]{20}$/.test(text)
}

function pick<Item extends { readonly Id: string; readonly Name: string; readonly ClusterId?: string }>(what: string, name: string, items: readonly Item[], list: string): Item {
  const matching = items.filter(item => item.Id === name || item.Name === name)
  const [first, ...more] = matching
  if (!first) throw new NothingThere(`There is no ${what} ${name}. See what there is with "${list}".`)
  if (more.length > 0) throw new CommandFailed(`${matching.length} of the ${what}s are called ${name}: ${matching.map(item => item.Id).join(', ')}. ${new Set(matching.map(item => item.ClusterId)).size > 1 ? 'Give the id, or --cluster.' : 'Give the id.'}`)
  return first
}

function within(cluster: string | undefined): string {
  return cluster === undefined ? '' : ` --cluster ${cluster}`
}
