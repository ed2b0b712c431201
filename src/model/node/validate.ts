import { parseAddress } from '../cidr.ts'
import { resourceWords } from '../cluster/validate.ts'
import { optionalClientToken } from '../naming.ts'
import { optionalLabels, optionalTaints } from '../node-pool/labels.ts'
import type { MachineTemplate } from '../node-pool/record.ts'
import { member, membersOf, missing, optionalFlag, optionalObject, optionalObjects, optionalText, optionalTexts, optionalWhole, optionalWord, refuseMember, requiredText, type Members } from '../request.ts'

export interface NodeDeletionRequest {
  readonly clusterId: string
  readonly nodePoolId: string
  /** At least one, each once. */
  readonly ids: readonly string[]
  /** What becomes of machines that the pool ordered. */
  readonly machine: MachineFate
}

export type MachineFate = 'Destroy' | 'Retain'

/** DeleteEdgeNodes and DeleteNodes: at most 100 nodes of one pool. Their machines are kept unless `Ecs` is named, and named only to go. */
export function parseDeleteNodes(action: 'DeleteEdgeNodes' | 'DeleteNodes', body: unknown): NodeDeletionRequest {
  const request = membersOf(action, body)
  const [cascading, retain] = [resourceWords(request, 'CascadingDeleteResources', ['Ecs']), resourceWords(request, 'RetainResources', ['Ecs'])]
  return {
    clusterId: requiredText(request, 'ClusterId'), nodePoolId: requiredText(request, 'NodePoolId'), ids: requiredIds(request, 'Ids'), machine: fateOfMachines({ cascading, retain }, ['Ecs']),
  }
}

/** Destroyed if one of the words is named to go and none of them to stay: who says both wants to keep it. */
export function fateOfMachines(deletion: { readonly cascading: readonly string[]; readonly retain: readonly string[] }, words: readonly string[]): MachineFate {
  const isNamed = (list: readonly string[]) => words.some(word => list.includes(word))
  return isNamed(deletion.cascading) && !isNamed(deletion.retain) ? 'Destroy' : 'Retain'
}

/** ScaleDownEdgeNodePool: exactly these nodes go, with their machines. */
export function parseScaleDown(body: unknown): Pick<NodeDeletionRequest, 'clusterId' | 'nodePoolId' | 'ids'> {
  const request = membersOf('ScaleDownEdgeNodePool', body)
  return { clusterId: requiredText(request, 'ClusterId'), nodePoolId: requiredText(request, 'NodePoolId'), ids: requiredIds(request, 'NodeIds') }
}

/** A machine that a caller asks for by hand. */
export interface NodeWish {
  readonly name: string | undefined
  /** The server of the cloud that it shall be. */
  readonly instanceId: string
  readonly cloudServerIdentity?: string
  /** What its node carries besides what the pool wants. */
  readonly carries?: NonNullable<MachineTemplate['carries']>
}

export interface NodeCreation {
  readonly clusterId: string
  /** Undefined: the cluster's default pool. */
  readonly nodePoolId: string | undefined
  readonly clientToken: string | undefined
  readonly wishes: readonly NodeWish[]
  /** What the caller said of the servers' systems, in the wire's own words, for the echo and the machines' providers. */
  readonly sent: Readonly<Record<string, unknown>>
}

const SERVER_TEXTS = ['ContainerStoragePath', 'ImageId', 'InitializeScript', 'PreScript'] as const
const SERVER_FLAGS = ['AdditionalContainerStorageEnabled', 'SkipReplaceSystem'] as const

/** CreateNodes (api.md 3): servers of the cloud become nodes of a central pool. */
export function parseCreateNodes(body: unknown): NodeCreation {
  const request = membersOf('CreateNodes', body)
  const instanceIds = requiredIds(request, 'InstanceIds')
  if (instanceIds.some(id => id.length > 128)) refuseMember(request, 'InstanceIds', 'its elements may have at most 128 characters')
  const keepsName = optionalFlag(request, 'KeepInstanceName') ?? false
  const carries = carriesOf(request)
  for (const name of SERVER_TEXTS) optionalText(request, name, 22_000)
  for (const name of SERVER_FLAGS) optionalFlag(request, name)
  const sent = [...SERVER_TEXTS, ...SERVER_FLAGS].map(name => [name, member(request, name)] as const).filter(([, value]) => value !== undefined)
  return {
    clusterId: requiredText(request, 'ClusterId'), nodePoolId: optionalText(request, 'NodePoolId', 128) || undefined, clientToken: optionalClientToken(request),
    wishes: instanceIds.map(instanceId => ({ instanceId, name: keepsName ? instanceId : undefined, ...(carries ? { carries } : {}) })), sent: Object.fromEntries(sent),
  }
}

/** `KubernetesConfig` of CreateNodes: what these nodes carry besides what their pool wants. Undefined where it asks for nothing. */
function carriesOf(request: Members): MachineTemplate['carries'] {
  const config = optionalObject(request, 'KubernetesConfig')
  if (!config) return undefined
  const [labels, taints, cordon] = [optionalLabels(config) ?? [], optionalTaints(config) ?? [], optionalFlag(config, 'Cordon') ?? false]
  return labels.length > 0 || taints.length > 0 || cordon ? { labels, taints, ...(cordon ? { cordon } : {}) } : undefined
}

/** A machine that its owner lets us into, once. */
export interface LoginWish {
  readonly name: string | undefined
  /** An IPv4 address or a host name. */
  readonly address: string
  readonly port: number
  readonly user: string
  /** The text itself. It is kept nowhere. */
  readonly password: string
}

/** Either servers (`wishes`) or one machine that is logged in to. */
export type EdgeNodeCreation = NodeCreation & { readonly nodePoolId: string; readonly login: LoginWish | undefined }

/** CreateEdgeNode (api.md 4): edge servers of the account become nodes (DirectAdd), or the machine at an address, into which a password lets us once. */
export function parseCreateEdgeNode(body: unknown): EdgeNodeCreation {
  const request = membersOf('CreateEdgeNode', body)
  const name = optionalText(request, 'Name', 64) || undefined
  const config = optionalObject(request, 'AutoCompleteConfig') ?? missing(request, 'AutoCompleteConfig')
  const directAdd = optionalFlag(config, 'DirectAdd') ?? false
  const login = loginOf(config, name, directAdd)
  if (optionalFlag(config, 'Enable') === false) refuseMember(config, 'Enable', 'it must be true: a node is made by us, or by an onboarding script (CreateBatchEdgeMachine)')
  const instances = (optionalObjects(config, 'DirectAddInstances') ?? []).map(instance => ({
    instanceId: requiredText(instance, 'InstanceIdentity', 128), cloudServerIdentity: optionalText(instance, 'CloudServerIdentity', 128) || undefined,
  }))
  const place = { clusterId: requiredText(request, 'ClusterId'), nodePoolId: requiredText(request, 'NodePoolId'), clientToken: optionalClientToken(request), sent: {} }
  if (login) return { ...place, wishes: [], login }
  if (instances.length === 0) missing(config, 'DirectAddInstances')
  const twice = instances.find((one, index) => instances.findIndex(other => other.instanceId === one.instanceId) !== index)
  if (twice) refuseMember(config, 'DirectAddInstances', 'an InstanceIdentity is there twice')
  return {
    ...place, login: undefined,
    wishes: instances.map(({ instanceId, cloudServerIdentity }) => ({ instanceId, name, ...(cloudServerIdentity === undefined ? {} : { cloudServerIdentity }) })),
  }
}

const SSH_PORT = 22
const LONGEST_PASSWORD = 1_024

/** With DirectAdd an address is not needed, and what is said of it is only looked at. */
function loginOf(config: Members, name: string | undefined, directAdd: boolean): LoginWish | undefined {
  const address = optionalText(config, 'Address', 253)
  const auth = optionalObject(config, 'MachineAuth')
  if (auth) optionalWord(auth, 'AuthType', ['Password'])
  const user = (auth && optionalText(auth, 'User', 128)) || 'root'
  // Clients of some languages send a number that was not set as 0.
  const port = (auth && optionalWhole(auth, 'SSHPort', { min: 0, max: 65_535 })) || SSH_PORT
  const password = auth && optionalText(auth, 'Password', LONGEST_PASSWORD)
  if (directAdd) return undefined
  if (!address) return refuseMember(config, 'DirectAdd', 'send DirectAdd with DirectAddInstances, or Address with MachineAuth; or run an onboarding script on the machine (CreateBatchEdgeMachine)')
  if (parseAddress(address) === undefined && !isHostName(address)) refuseMember(config, 'Address', 'it is neither an IPv4 address nor a host name')
  if (!auth) return missing(config, 'MachineAuth')
  if (/[\s\p{Cc}]/u.test(user)) refuseMember(auth, 'User', 'it is no name of a user')
  return { name, address, port, user, password: password || missing(auth, 'Password') }
}

function isHostName(text: string): boolean {
  const labels = text.split('.')
  return labels.every(label => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '')
}

function requiredIds(request: Members, name: string): readonly string[] {
  const ids = optionalTexts(request, name)
  return ids && ids.length > 0 ? [...new Set(ids)] : missing(request, name)
}
