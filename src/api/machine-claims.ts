import { hash } from 'node:crypto'
import type { ClusterRecord } from '#model/cluster/record.ts'
import { refuse, refuseParameter } from '#model/errors/catalogue.ts'
import { newId } from '#model/ids.ts'
import { claimOf, claimedName, machineIdOf } from '#model/node/claim.ts'
import type { NodeWish } from '#model/node/validate.ts'
import type { MachineTemplate, NodePoolRecord } from '#model/node-pool/record.ts'
import { movedBy } from '#model/node-pool/scaling.ts'
import type { MachineRecord, Transaction } from '#ports/store.ts'
import { askedBy, type ActionContext } from './action.ts'
import { tokenOf } from './idempotency.ts'
import { within } from './lock.ts'

/** Refuses where the region makes no machines. */
export function refuseWithoutMachines({ region, scope }: ActionContext): void {
  if (!region.machines) refuse('OperationDenied.RegionNotReady', { region: scope.region, why: 'it has no machines of its own to order' })
}

export interface ClaimRequest {
  readonly cluster: ClusterRecord
  readonly nodePool: NodePoolRecord
  readonly wishes: readonly NodeWish[]
  readonly sent: Readonly<Record<string, unknown>>
  /** Names the member that holds the servers' ids, for refusals. */
  readonly parameter: string
}

type ServerWish = NodeWish & Pick<MachineTemplate, 'replaces'>

/**
 * Claims machines for nodes under the cluster's lock, intent first: nodes, machines, ledger rows, and the tokens of their first boots, all or none. Answers the
 * nodes' ids in the order of the wishes.
 */
export async function claimMachines(context: ActionContext, tx: Transaction, body: Parameters<typeof tokenOf>[0], request: ClaimRequest): Promise<readonly string[]> {
  refuseWithoutMachines(context)
  await tx.lockName(`machines/${context.scope.accountId}/${context.scope.region}`)
  const wishes = await freeServers(context, tx, request)
  const taken = wishes.some(wish => wish.name !== undefined) ? await takenNames(context, tx, request.cluster) : new Set<string>()
  const ids: string[] = []
  for (const wish of wishes) ids.push(await claimMachine(context, tx, tokenOf(body), request, wish, taken))
  await tx.enqueue({ kind: 'node-pool', id: request.nodePool.id, region: context.scope.region })
  return ids
}

async function claimMachine(context: ActionContext, tx: Transaction, clientToken: string | undefined, { cluster, nodePool, sent }: ClaimRequest, wish: ServerWish, taken: Set<string>): Promise<string> {
  const { scope, region, now } = context
  const nodeId = newId('node', now, context.randomBytes(8))
  const machineId = machineIdOf(nodeId)
  const addresses = region.machineAddresses?.()
  const address = addresses ? await tx.claimAddress(scope.region, machineId, addresses) : ''
  if (address === undefined) return refuse('OperationDenied.RegionNotReady', { region: scope.region, why: `its addresses for machines, ${addresses?.first} to ${addresses?.last}, are all taken` })
  const token = Buffer.from(context.randomBytes(24)).toString('base64url')
  const firstBoot = region.bootstrapLine?.(token)
  if (firstBoot === undefined) return refuse('OperationDenied.RegionNotReady', { region: scope.region, why: 'machines cannot join yet' })
  const name = nameFor(nodePool, wish, nodeId, taken)
  const claim = claimOf({ nodeId, now, pool: nodePool, address, firstBoot, name, template: templateFor(nodePool, wish, sent) })
  await tx.insertNode(
    { ...claim.node, spec: { ...claim.node.spec, ...Object.keys(sent).length > 0 && { sent } }, ...clientToken !== undefined && { createClientToken: clientToken } },
    askedBy(context, `The server ${wish.instanceId} was added to the node pool ${nodePool.spec.name} of the cluster ${cluster.spec.name}.`),
  )
  await tx.insertMachine(claim.machine)
  await tx.putLedger(claim.ledger)
  await tx.putNodeToken({ tokenHash: hash('sha256', token, 'hex'), nodeId, machineId })
  for (const key of [{ kind: 'node', id: nodeId }, { kind: 'machine', id: machineId }] as const) await tx.enqueue({ ...key, region: scope.region })
  return nodeId
}

/** The caller's name where it can be a hostname and is free, else one that begins like it: a server's name is no condition for its becoming a node. */
export function nameFor(nodePool: NodePoolRecord, { name }: Pick<NodeWish, 'name'>, nodeId: string, taken: Set<string>): string {
  if (name === undefined) return claimedName(nodePool.spec, nodeId)
  const isHostname = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)
  const chosen = isHostname && !taken.has(name) ? name : claimedName({ ...nodePool.spec, namePrefix: name }, nodeId)
  taken.add(chosen)
  return chosen
}

function templateFor(nodePool: NodePoolRecord, { instanceId, replaces, cloudServerIdentity, carries }: ServerWish, sent: Readonly<Record<string, unknown>>) {
  const { template } = nodePool.spec
  return {
    ...template, ...cloudServerIdentity !== undefined && { cloudServerIdentity }, instanceId, ...replaces !== undefined && { replaces }, ...carries && { carries },
    ...template?.nodeConfig && { nodeConfig: { ...template.nodeConfig, ...sent } },
  }
}

async function takenNames({ scope }: ActionContext, tx: Transaction, cluster: ClusterRecord): Promise<Set<string>> {
  const [nodes, machines] = [await tx.nodesOf({ clusterId: cluster.id }), await tx.machinesOf(scope)]
  return new Set([...nodes.map(node => node.spec.name), ...machines.map(machine => machine.name)])
}

/**
 * A server is one node at most, by whichever of its names it is asked for: its own, or the id of the machine that it is now. One that a pool kept when its node went may come again: its system is set up anew, so another machine takes
 * the place of the old one, which goes once that one is there: nothing is lost for one that is refused. Answers the wishes by the servers' own names, which outlast their machines, and by the machines whose places they take.
 */
async function freeServers(context: ActionContext, tx: Transaction, { wishes, parameter }: ClaimRequest): Promise<readonly ServerWish[]> {
  const { scope, action } = context
  const named = new Map<string, MachineRecord>()
  // In the order in which others lock several.
  for (const id of wishes.map(wish => wish.instanceId).sort()) {
    const machine = within(scope, await tx.lockMachine(id))
    if (machine) named.set(id, machine)
  }
  const sent = new Map<string, string>()
  const resolved = wishes.map(wish => {
    const machine = named.get(wish.instanceId), instanceId = machine ? serverOf(machine) : wish.instanceId, other = sent.get(instanceId)
    if (other !== undefined) refuseParameter(action, parameter, `${other} and ${wish.instanceId} are the same server`)
    sent.set(instanceId, wish.instanceId)
    return { ...wish, instanceId, name: wish.name === wish.instanceId ? instanceId : wish.name }
  })
  const others = (await tx.machinesOfInstances(scope, [...sent.keys()])).filter(machine => named.get(machine.id) === undefined)
  const known = [...others, ...named.values()]
  for (const machine of known) {
    if (machine.ownedBy) refuse('Conflict.{Parameter}', { Parameter: parameter, value: sent.get(serverOf(machine)) ?? machine.id, by: `it is the node ${machine.ownedBy.nodeId ?? machine.name} already` })
    if (!machine.template) refuseParameter(action, parameter, `the machine ${machine.id} is yours to set up; run an onboarding script on it (CreateBatchEdgeMachine)`)
  }
  return resolved.map(wish => {
    const olds = known.filter(machine => serverOf(machine) === wish.instanceId)
    // One that was asked to go before may have left its place to the one that goes now.
    const old = olds.find(({ deletionRequestedAt }) => deletionRequestedAt === undefined) ?? olds.at(-1)
    return { ...wish, ...old && { replaces: old.id } }
  })
}

function serverOf({ id, template }: MachineRecord): string {
  return template?.instanceId ?? id
}

/** Nodes that are added by hand are wanted from then on: the pool does not give them back, and has no more than its MaxReplicas. */
export async function raiseTarget(context: ActionContext, tx: Transaction, nodePool: NodePoolRecord, nodes: number): Promise<void> {
  const { scaling } = nodePool.spec
  if (!scaling) return
  const moved = movedBy(scaling, nodes)
  if (moved.desiredReplicas > scaling.maxReplicas) refuse('QuotaExceeded.Node', { id: nodePool.id, limit: scaling.maxReplicas, wanted: moved.desiredReplicas })
  await tx.changeNodePool(nodePool.id, { spec: { ...nodePool.spec, scaling: moved } }, askedBy(context, `${nodes === 1 ? 'A server was' : `${nodes} servers were`} added to it by hand.`))
}
