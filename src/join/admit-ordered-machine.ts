import type { ClusterRecord } from '#model/cluster/record.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeFacts, NodeRecord } from '#model/node/record.ts'
import { MEMBER_AWAITED_MS } from '#model/status/deadlines.ts'
import { withFacts } from '#model/with-facts.ts'
import type { NodeToken, Transaction } from '#ports/store.ts'
import { admitMachine, CERTIFICATE_MS, type Admitted, type Newcomer, type Secrets } from './admit-machine.ts'
import type { Invitation } from './onboarding-token.ts'
import { JoinRefused } from './refused.ts'

/** The join of one machine as one transaction, by the script that it ran or as the one that was ordered for a node. */
export async function admitInvited(tx: Transaction, secrets: Secrets, invitation: Invitation, machine: Newcomer, now: number, randomBytes: Uint8Array): Promise<Admitted> {
  return invitation.kind === 'script'
    ? await admitMachine(tx, secrets, invitation.onboarding, machine, now, randomBytes)
    : await admitOrderedMachine(tx, secrets, invitation.nodeToken, machine, now)
}

/**
 * The first boot of a machine that a pool ordered: its token is bound to one node, which keeps its name whatever the machine is called. The first machine that
 * shows the token is that node's; the same one may come again, another one may not.
 */
export async function admitOrderedMachine(tx: Transaction, secrets: Secrets, token: NodeToken, machine: Newcomer, now: number): Promise<Admitted> {
  const node = await tx.lockNode(token.nodeId)
  const cluster = node && await tx.lockCluster(node.clusterId)
  const nodePool = node && await tx.lockNodePool(node.nodePoolId)
  if (!node || !cluster || !nodePool) throw new JoinRefused(403, 'The node for which this machine was ordered is gone.')
  checkStays(node, cluster, nodePool)
  const secret = await secrets.findMachineSecret(machine.secretHash)
  if (secret?.state === 'removed') throw new JoinRefused(410, `This machine was removed from its cluster as the node ${secret.nodeName}.`)
  if (secret && secret.nodeId !== node.id) throw new JoinRefused(409, `This machine is already the node ${secret.nodeName}.`)
  if (!secret && node.facts.joinedAt !== undefined) throw new JoinRefused(409, `Another machine has joined as the node ${node.spec.name}.`)

  await tx.changeNode(node.id, { spec: { ...node.spec, architecture: machine.architecture, ...machine.address !== '' && { address: machine.address } }, facts: joinedNow(node, now) }, {
    evidence: [{ observer: 'join endpoint', source: `machine ${node.spec.name}`, observedAt: now, fact: `The machine that was ordered for the node ${node.spec.name} came at ${machine.address} (${machine.architecture}, kernel ${machine.kernel}).` }],
  })
  await tx.putMachineSecret({
    secretHash: machine.secretHash, clusterId: cluster.id, nodePoolId: nodePool.id, nodeId: node.id, nodeName: node.spec.name, onboardingId: '',
    state: 'member', certificateUntil: now + CERTIFICATE_MS, changedAt: now,
  })
  // What its kubelet does is told by the watch; only silence has to be looked at.
  await tx.enqueue({ kind: 'node', id: node.id, region: node.region }, now + MEMBER_AWAITED_MS)
  return { cluster, nodePool, nodeId: node.id, nodeName: node.spec.name, nodeAddress: machine.address }
}

function checkStays(node: NodeRecord, cluster: ClusterRecord, nodePool: NodePoolRecord): void {
  const going = cluster.facts.deletion ? `cluster ${cluster.spec.name}` : nodePool.facts.deletion ? `node pool ${nodePool.spec.name}` : node.facts.deletion ? `node ${node.spec.name}` : undefined
  if (going !== undefined) throw new JoinRefused(409, `The ${going} is being deleted and takes no more machines.`)
}

/** What failed before is taken back, and the time of initialisation begins anew, when a machine tries again. */
function joinedNow({ facts }: NodeRecord, now: number): NodeFacts {
  const startsOver = facts.initialiseFailed !== undefined && facts.firstReadyAt === undefined
  return withFacts(facts, { initialiseFailed: undefined, joinedAt: now, machineExistsAt: startsOver ? now : facts.machineExistsAt ?? now, progress: { step: 'join', text: 'it was admitted and fetches its programs', at: now }, ...startsOver && { pausedMs: 0 } })
}
