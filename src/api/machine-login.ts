import { hash } from 'node:crypto'
import type { ClusterRecord } from '#model/cluster/record.ts'
import { refuse, refuseParameter } from '#model/errors/catalogue.ts'
import { newId } from '#model/ids.ts'
import { claimedFacts } from '#model/node/claim.ts'
import type { LoginWish } from '#model/node/validate.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { PreparedLogin } from '#ports/machine-logins.ts'
import type { Transaction } from '#ports/store.ts'
import { askedBy, type ActionContext } from './action.ts'
import { tokenOf } from './idempotency.ts'
import { nameFor } from './machine-claims.ts'

/** A node whose record is about to be committed, and the login that makes a machine join as it. */
export interface ClaimedLogin { readonly nodeId: string; readonly line: string; readonly prepared: PreparedLogin }

interface Place { readonly cluster: ClusterRecord; readonly nodePool: NodePoolRecord }

/** The record of a node whose machine is then logged in to, with the token that is bound to it, under the cluster's lock. Of the password nothing is in it. */
export async function claimByLogin(context: ActionContext, tx: Transaction, body: Parameters<typeof tokenOf>[0], { cluster, nodePool }: Place, { name, address, port, user }: LoginWish): Promise<ClaimedLogin> {
  const { scope, region, now } = context
  if (nodePool.spec.type !== 'edge-machine-set') return refuseParameter(context.action, 'NodePoolId', 'it is an elastic pool, which orders its machines itself; a machine with an address of its own becomes a node of a static pool')
  if (!region.logins) return refuse('OperationDenied.RegionNotReady', { region: scope.region, why: 'machines are logged in to by the server that runs the region, and that is not this one' })
  const nodeId = newId('node', now, context.randomBytes(8))
  const token = Buffer.from(context.randomBytes(24)).toString('base64url')
  const line = region.bootstrapLine?.(token) ?? refuse('OperationDenied.RegionNotReady', { region: scope.region, why: 'machines cannot join yet' })
  const prepared = region.logins.prepare(nodeId) ?? refuse('OperationDenied.RegionNotReady', { region: scope.region, why: 'so many machines are being logged in to that no more can wait; try again in a minute' })
  try {
    const clientToken = tokenOf(body)
    await tx.insertNode({
      id: nodeId, ...scope, clusterId: cluster.id, nodePoolId: nodePool.id,
      spec: { name: nameFor(nodePool, { name }, nodeId, await takenNames(tx, cluster, now)), architecture: '', machineId: '', login: { address, port, user } },
      facts: { ...claimedFacts(now), machineExistsAt: now, login: { since: now }, ...nodePool.spec.cordon && { toCordon: true as const } },
      ...clientToken !== undefined && { createClientToken: clientToken },
    }, askedBy(context, `The machine at ${address}, port ${port}, was added to the node pool ${nodePool.spec.name} of the cluster ${cluster.spec.name}; it is logged in to once, as ${user}.`))
    await tx.putNodeToken({ tokenHash: hash('sha256', token, 'hex'), nodeId, machineId: '' })
    for (const key of [{ kind: 'node', id: nodeId }, { kind: 'node-pool', id: nodePool.id }, { kind: 'cluster', id: cluster.id }] as const) await tx.enqueue({ ...key, region: scope.region })
  } catch (error) {
    prepared.cancel()
    throw error
  }
  return { nodeId, line, prepared }
}

/** A body as it may be compared by: a hash over a password could be guessed from, so that a repeat may bring another one. */
export function withoutPassword<Body extends { readonly AutoCompleteConfig: { readonly MachineAuth?: object } }>(body: Body): Body {
  const { AutoCompleteConfig: config } = body
  if (config.MachineAuth === undefined) return body
  return { ...body, AutoCompleteConfig: { ...config, MachineAuth: { ...config.MachineAuth, Password: undefined } } }
}

/** Of nodes, and of machines that were nodes and have not said that they cleaned up. Their hosts' names are others' affair: a machine may be called as its node. */
async function takenNames(tx: Transaction, cluster: ClusterRecord, now: number): Promise<Set<string>> {
  const nodes = await tx.nodesOf({ clusterId: cluster.id }), secrets = await tx.machineSecretsOf(cluster.id)
  const reserved = secrets.filter(secret => secret.state !== 'confirmed' && (secret.certificateUntil ?? 0) > now)
  return new Set([...nodes.map(node => node.spec.name), ...reserved.map(secret => secret.nodeName)])
}
