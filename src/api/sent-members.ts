import type { TSchema } from 'typebox'
import type { Action } from './action.ts'

/** What has an id that calls send. */
export type SentKind = 'Cluster' | 'NodePool' | 'Node' | 'Addon' | 'Onboarding' | 'Machine' | 'Kubeconfig'

/** Members that bear ids though they are not called so. */
const ID_MEMBERS = new Set(['RunScript', 'On'])
/** Of what the ids in a member are, whatever call has it. Those of things that nobody makes here (zones, images, subnets) name nothing of ours. */
const OF_MEMBER: Readonly<Record<string, readonly SentKind[]>> = {
  ClusterId: ['Cluster'], ClusterIds: ['Cluster'], On: ['Cluster'],
  NodePoolId: ['NodePool'], NodePoolIds: ['NodePool'],
  NodeIds: ['Node'], RunScript: ['Onboarding'], InstanceIds: ['Machine'],
  OwnerIds: ['Cluster', 'NodePool', 'Node', 'Addon', 'Machine'],
  VpcId: [], ImageId: [], ZoneIds: [],
}
const EXPLAINED: readonly SentKind[] = ['Cluster', 'NodePool', 'Node', 'Addon', 'Onboarding']
/** And of what they are in `Id` and `Ids`, which each call has for what it is about. */
const SUBJECTS: Readonly<Record<string, readonly SentKind[]>> = {
  ListClusters: ['Cluster'], UpdateClusterConfig: ['Cluster'], DeleteCluster: ['Cluster'],
  ListEdgeNodePools: ['NodePool'], UpdateEdgeNodePoolConfig: ['NodePool'], DeleteNodePool: ['NodePool'], ListNodePools: ['NodePool'], UpdateNodePoolConfig: ['NodePool'],
  ListEdgeNodes: ['Node'], DeleteEdgeNodes: ['Node'], ListNodes: ['Node'], DeleteNodes: ['Node'], SetNodeSchedulable: ['Node'],
  ListBatchEdgeMachine: ['Onboarding'], DeleteBatchEdgeMachine: ['Onboarding'],
  ListKubeconfigs: ['Kubeconfig'], DeleteKubeconfigs: ['Kubeconfig'],
  ListMachines: ['Machine'], SetMachine: ['Machine'], RemoveMachine: ['Machine'], ExecInMachine: ['Machine'],
  ExplainStatus: EXPLAINED, ListStatusHistory: EXPLAINED,
  ClearFault: [],
}
/** The product calls a script's id that of a node there. */
const ELSE: Readonly<Record<string, readonly SentKind[]>> = { 'UpdateBatchEdgeMachine NodeId': ['Onboarding'] }

/** By which members, of its body and of its filter, a call names things. */
export interface SentMembers {
  /** By member: of what its ids are; undefined where that is not known. */
  readonly ids: ReadonlyMap<string, readonly SentKind[] | undefined>
  readonly names: readonly string[]
}

export function carriesIds(member: string): boolean {
  return /Ids?$/.test(member) || ID_MEMBERS.has(member)
}

export function carriesNames(member: string): boolean {
  return /Names?$/.test(member)
}

export function sentBy({ name, schema }: Pick<Action, 'name' | 'schema'>): SentMembers {
  const members = membersOf(schema)
  const texts = [...members, ...membersOf(members.find(([member]) => member === 'Filter')?.[1])].flatMap(([member, value]) => (isText(value) ? [member] : []))
  return {
    ids: new Map(texts.filter(carriesIds).map(member => [member, ELSE[`${name} ${member}`] ?? (/^Ids?$/.test(member) ? SUBJECTS[name] : OF_MEMBER[member])])),
    names: texts.filter(carriesNames),
  }
}

/** What has an id that any call sends. */
export function everySentKind(): ReadonlySet<string> {
  return new Set([...Object.values(OF_MEMBER), ...Object.values(SUBJECTS), ...Object.values(ELSE)].flat())
}

function membersOf(schema: TSchema | undefined): readonly [string, TSchema][] {
  return Object.entries((schema as { readonly properties?: Readonly<Record<string, TSchema>> } | undefined)?.properties ?? {})
}

function isText(schema: TSchema): boolean {
  const { type, items } = schema as { readonly type?: string; readonly items?: { readonly type?: string } }
  return type === 'string' || (type === 'array' && items?.type === 'string')
}
