import type { addonToWire, supportedAddonToWire } from '#model/addon/wire.ts'
import type { clusterToWire } from '#model/cluster/wire.ts'
import type { kubeconfigToWire } from '#model/kubeconfig/wire.ts'
import type { centralNodeToWire, nodeToWire } from '#model/node/wire.ts'
import type { centralNodePoolToWire, nodePoolToWire } from '#model/node-pool/wire.ts'
import type { onboardingToWire } from '#model/onboarding/wire.ts'

/** What each action takes and answers, member for member as on the wire. */
export type Addon = ReturnType<typeof addonToWire>
export type SupportedAddon = ReturnType<typeof supportedAddonToWire>
export type Cluster = ReturnType<typeof clusterToWire>
export type NodePool = ReturnType<typeof nodePoolToWire>
export type Node = ReturnType<typeof nodeToWire>
export type CentralNodePool = ReturnType<typeof centralNodePoolToWire>
export type CentralNode = ReturnType<typeof centralNodeToWire>
export type Onboarding = ReturnType<typeof onboardingToWire>
export type Kubeconfig = ReturnType<typeof kubeconfigToWire>

export interface Status { readonly Phase: string; readonly Conditions: readonly { readonly Type: string }[] }
export interface Resource { readonly Kind: string; readonly Id: string; readonly Name: string; readonly ClusterId?: string }
export interface Evidence { readonly Observer: string; readonly Source: string; readonly ObservedAt: string; readonly Fact: string; readonly Raw?: string }
export interface Link { readonly Resource: Resource; readonly Status: Status; readonly Since: string; readonly Rule: string; readonly Because: string; readonly Evidence: readonly Evidence[] }
export interface Explanation extends Link {
  readonly CauseChain: readonly Link[]
  readonly Alike: readonly Resource[]
  readonly Exits: readonly { readonly By: 'call' | 'cause'; readonly What: string }[]
  readonly LooksAgainAt?: string
  readonly StaleSince?: string
}
export interface Change extends Resource {
  readonly Position: number
  readonly At: string
  /** null: the resource is gone. */
  readonly Status: Status | null
  readonly Rule: string
  readonly Because: string
  readonly Evidence: readonly Evidence[]
  readonly CausedBy?: Resource
  readonly Operation?: string
}
export interface LedgerEntry {
  readonly Id: string; readonly Kind: string; readonly ProviderId?: string; readonly Owner: Resource; readonly ClusterId?: string
  readonly State: string; readonly Because?: string; readonly DeleteProtected: boolean; readonly Since: string
}
export interface Region { readonly Region: string; readonly Kind: string; readonly Ready: boolean; readonly Text: string; readonly Default: boolean; readonly Aliases: readonly string[] }
/** `Behind`: a span such as `90s`, where the region's work is that far behind. */
export interface ClockShown { readonly Now: string; readonly Speed: number; readonly Paused: boolean; readonly Behind?: string }
export interface Machine { readonly Id: string; readonly Name: string; readonly Power: string; readonly Link: string; readonly Address: string; readonly Made: boolean; readonly NodeId?: string; readonly OwnedBy?: Resource; readonly Removing?: boolean; readonly Because?: string; readonly ScriptFailedAt?: string }
export interface Scenario { readonly Name: string; readonly Title: { readonly zh: string; readonly en: string }; readonly Reaches: readonly { readonly Kind: string; readonly Phase: string; readonly Conditions: readonly string[]; readonly Name?: string }[]; readonly Steps: readonly ScenarioStep[] }
export interface ScenarioStep { readonly Action?: string; readonly Request?: object; readonly As?: string; readonly Cause?: true; readonly Refused?: string; readonly Clock?: string }
export interface Played { readonly Name: string; readonly Seed: number; readonly Region: string; readonly Stopped: boolean; readonly Story: readonly { readonly At: string; readonly Text: string; readonly Resource?: Resource; readonly Status?: Status; readonly Rule?: string; readonly Because?: string; readonly Evidence?: readonly Evidence[] }[]; readonly Resources: readonly Resource[] }
export interface Balance { readonly Amount?: number; readonly PerHour: number; readonly ReachesZeroAt?: string; readonly ArrearsSince?: string; readonly StoppedSince?: string }
export interface Quota { readonly Kind: string; readonly Limit: number; readonly Held: number }
export interface Stock { readonly Kind: string; readonly Area?: string; readonly Count: number }
export interface Fault {
  readonly Id: string; readonly Port: string; readonly Call?: string; readonly Hits: number; readonly InjectedAt: string; readonly Times?: number; readonly From?: string; readonly Until?: string
  readonly Target?: { readonly Kind?: string; readonly Id?: string; readonly Name?: string; readonly Label?: string; readonly Nth?: number }
  readonly Effect: { readonly Type: string; readonly Code?: string; readonly Message?: string; readonly For?: string }
}
export interface Ran { readonly ExitCode: number; readonly Output: string }
export interface ListOf<Item> { readonly Items: readonly Item[]; readonly TotalCount: number; readonly PageNumber: number; readonly PageSize: number }
export interface Made { readonly Id: string }
type Nothing = Record<string, never>

export interface Calls {
  CreateCluster: Made
  ListClusters: ListOf<Cluster>
  UpdateClusterConfig: Nothing
  DeleteCluster: Nothing
  CreateEdgeNodePool: Made
  ListEdgeNodePools: ListOf<NodePool>
  UpdateEdgeNodePoolConfig: Nothing
  DeleteNodePool: Nothing
  ScaleUpEdgeNodePool: Nothing
  ScaleDownEdgeNodePool: Nothing
  CreateEdgeNode: { readonly Ids: readonly string[] }
  CreateNodePool: Made
  CreateDefaultNodePool: Made
  ListNodePools: ListOf<CentralNodePool>
  UpdateNodePoolConfig: Nothing
  CreateNodes: { readonly Ids: readonly string[] }
  ListNodes: ListOf<CentralNode>
  DeleteNodes: Nothing
  ListSupportedResourceTypes: ListOf<{ readonly ResourceScope: string; readonly ZoneId: string; readonly ResourceType: string; readonly ResourceSpecifications: readonly string[] }>
  CreateBatchEdgeMachine: { readonly Ids: readonly string[] }
  ListBatchEdgeMachine: ListOf<Onboarding>
  UpdateBatchEdgeMachine: Nothing
  DeleteBatchEdgeMachine: Nothing
  ListEdgeNodes: ListOf<Node>
  DeleteEdgeNodes: Nothing
  CreateAddon: Nothing
  ListAddons: ListOf<Addon>
  ListSupportedAddons: { readonly Items: readonly SupportedAddon[]; readonly TotalCount: number }
  UpdateAddonConfig: Nothing
  UpdateAddonVersion: Nothing
  DeleteAddon: Nothing
  CreateKubeconfig: Made
  ListKubeconfigs: ListOf<Kubeconfig>
  DeleteKubeconfigs: Nothing
  ExplainStatus: Explanation
  ListStatusHistory: ListOf<Change>
  ListLedger: ListOf<LedgerEntry>
  ListRegions: ListOf<Region>
  CreateRegion: { readonly Region: string }
  DeleteRegion: Nothing
  GetClock: ClockShown
  SetClock: ClockShown
  GetBalance: Balance
  ListScenarios: ListOf<Scenario>
  RunScenario: Played
  SetBalance: Nothing
  AddMachine: Made
  ListMachines: ListOf<Machine>
  SetMachine: Partial<Ran>
  RemoveMachine: Nothing
  ExecInMachine: Ran
  SetNodeSchedulable: Nothing
  InjectFault: Made
  ListFaults: ListOf<Fault>
  ClearFault: Nothing
  SetStock: Nothing
  ListStock: ListOf<Stock>
  SetQuota: Nothing
  ListQuotas: ListOf<Quota>
  PutObject: Nothing
  DeleteObject: Nothing
  SetWorkload: Nothing
  SetImage: Nothing
}

export type ActionName = keyof Calls

/** Its answer is a stream, which `EdgeholdClient.watch` reads. */
export const WATCH = 'WatchChanges'

const OWN: ReadonlySet<string> = new Set<ActionName | typeof WATCH>([
  'ExplainStatus', 'ListStatusHistory', WATCH, 'ListLedger', 'GetBalance', 'SetBalance', 'ListScenarios', 'RunScenario', 'ListRegions', 'CreateRegion', 'DeleteRegion', 'GetClock', 'SetClock', 'AddMachine', 'ListMachines', 'SetMachine', 'RemoveMachine', 'ExecInMachine', 'SetNodeSchedulable',
  'InjectFault', 'ListFaults', 'ClearFault', 'SetStock', 'ListStock', 'SetQuota', 'ListQuotas', 'PutObject', 'DeleteObject', 'SetWorkload', 'SetImage',
])

/** The version of an action: the product's, or that of our own ones. */
export function versionOf(action: string): string {
  return OWN.has(action) ? '2026-12-01' : '2021-03-03'
}
