import type { ClusterRecord } from '#model/cluster/record.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import { initialisationMs } from '#model/node/readiness.ts'
import type { NodeFacts, NodeRecord } from '#model/node/record.ts'
import { DEADLINES, MEMBER_AWAITED_MS } from '#model/status/deadlines.ts'
import { withFacts } from '#model/with-facts.ts'
import type { MachineSecret, NodeToken, Transaction } from '#ports/store.ts'
import { admitMachine, admitted, CERTIFICATE_MS, isAdmittedAlready, overlayAddress, type Admitted, type Newcomer, type Secrets } from './admit-machine.ts'
import { beginningOf, beginsText } from './node-settings.ts'
import type { Invitation } from './onboarding-token.ts'
import { JoinRefused } from './refused.ts'

/** The join of one machine as one transaction, by the script that it ran or as the one that was ordered for a node. */
export async function admitInvited(tx: Transaction, secrets: Secrets, invitation: Invitation, machine: Newcomer, now: number, randomBytes: Uint8Array): Promise<Admitted> {
  return invitation.kind === 'script'
    ? await admitMachine(tx, secrets, invitation.onboarding, machine, now, randomBytes)
    : await admitOrderedMachine(tx, invitation.nodeToken, machine, now)
}

/** Of a machine that shows the token of its first boot. */
export interface OrderedNewcomer {
  readonly nodeToken: NodeToken
  readonly machine: Newcomer
}

/**
 * The first boot of a machine that a pool ordered, or the script on one that was logged in to: its token is bound to one node, which keeps its name whatever the machine is called. The first machine that
 * shows the token is that node's; the same one may come again, another one may not.
 */
export async function admitOrderedMachine(tx: Transaction, nodeToken: NodeToken, machine: Newcomer, now: number): Promise<Admitted> {
  const [outcome] = await admitOrderedMachines(tx, [{ nodeToken, machine }], now)
  if (!outcome || outcome instanceof JoinRefused) throw outcome ?? new Error('E-ADMIT: a machine got no answer')
  return outcome
}

/** As admitOrderedMachine of each, in their order, in few statements; who is refused writes nothing. */
export async function admitOrderedMachines(tx: Transaction, newcomers: readonly OrderedNewcomer[], now: number): Promise<readonly (Admitted | JoinRefused)[]> {
  const nodes = new Map((await tx.lockNodes([...new Set(newcomers.map(({ nodeToken }) => nodeToken.nodeId))])).map(node => [node.id, node]))
  await tx.lockTrees([...new Set([...nodes.values()].map(({ nodePoolId }) => nodePoolId))].map(id => ({ kind: 'node-pool' as const, id })))
  const pools = new Map<string, NodePoolRecord>(), clusters = new Map<string, ClusterRecord>()
  for (const { nodePoolId, clusterId } of nodes.values()) {
    if (pools.has(nodePoolId)) continue
    const cluster = await tx.lockCluster(clusterId), pool = await tx.lockNodePool(nodePoolId)
    if (cluster) clusters.set(clusterId, cluster)
    if (pool) pools.set(nodePoolId, pool)
  }
  const secrets = new Map((await tx.machineSecretsByHash([...new Set(newcomers.map(({ machine }) => machine.secretHash))])).map(secret => [secret.secretHash, secret]))
  const outcomes: (Admitted | JoinRefused)[] = []
  for (const { nodeToken, machine } of newcomers) {
    const node = nodes.get(nodeToken.nodeId), cluster = clusters.get(node?.clusterId ?? ''), nodePool = pools.get(node?.nodePoolId ?? '')
    const refusal = node && cluster && nodePool ? whyNot(node, cluster, nodePool, secrets.get(machine.secretHash)) : new JoinRefused(403, 'The node for which this machine was ordered is gone.')
    if (refusal || !node || !cluster || !nodePool) {
      if (refusal) outcomes.push(refusal)
      continue
    }
    const address = machine.overlayPool ? await overlayAddress(tx, node.region, machine.secretHash, machine.overlayPool) : machine.address
    const begins = beginningOf(nodePool, node)
    // The machine of a pool is known by its provider before it comes; one that was logged in to says who it is now.
    const change = { spec: { ...node.spec, architecture: machine.architecture, ...address !== '' && { address }, ...node.spec.login && { machineId: machine.machineId } }, facts: { ...joinedNow(node, machine, now), ...beginsText(begins) } }
    await tx.changeNode(node.id, change, {
      evidence: [{ observer: 'join endpoint', source: `machine ${node.spec.name}`, observedAt: now, fact: `The machine that was ${node.spec.login ? 'logged in to' : 'ordered'} for the node ${node.spec.name} came at ${machine.address} (${machine.architecture}, kernel ${machine.kernel}).` }],
    })
    nodes.set(node.id, { ...node, ...change })
    secrets.set(machine.secretHash, {
      secretHash: machine.secretHash, clusterId: cluster.id, nodePoolId: nodePool.id, nodeId: node.id, nodeName: node.spec.name, onboardingId: '',
      state: 'member', certificateUntil: now + CERTIFICATE_MS, changedAt: now,
    })
    // What its kubelet does is told by the watch; only silence has to be looked at.
    await tx.enqueue({ kind: 'node', id: node.id, region: node.region }, now + MEMBER_AWAITED_MS)
    outcomes.push({ cluster, nodePool, nodeId: node.id, nodeName: node.spec.name, nodeAddress: address, begins })
  }
  const admitted = new Set(outcomes.flatMap((outcome, index) => (outcome instanceof JoinRefused ? [] : newcomers[index]?.machine.secretHash ?? [])))
  if (admitted.size > 0) await tx.putMachineSecrets([...admitted].flatMap(secretHash => secrets.get(secretHash) ?? []))
  return outcomes
}

function whyNot(node: NodeRecord, cluster: ClusterRecord, nodePool: NodePoolRecord, secret: MachineSecret | undefined): JoinRefused | undefined {
  const going = cluster.facts.deletion ? `cluster ${cluster.spec.name}` : nodePool.facts.deletion ? `node pool ${nodePool.spec.name}` : node.facts.deletion ? `node ${node.spec.name}` : undefined
  if (going !== undefined) return new JoinRefused(409, `The ${going} is being deleted and takes no more machines.`)
  if (secret?.state === 'removed') return new JoinRefused(410, `This machine was removed from its cluster as the node ${secret.nodeName}.`)
  const own = secret?.state === 'member' ? secret : undefined
  if (own && own.nodeId !== node.id) return new JoinRefused(409, `This machine is already the node ${own.nodeName}.`)
  if (!own && node.facts.joinedAt !== undefined) return new JoinRefused(409, `Another machine has joined as the node ${node.spec.name}.`)
  return undefined
}

/** What failed before, by a step or by its time, is taken back, and the time of initialisation begins anew, when the machine runs its script (status-rules.md, node 3); not with each try of one run. */
function joinedNow({ facts }: NodeRecord, machine: Newcomer, now: number): NodeFacts {
  const isOverdue = initialisationMs({ now, facts }) >= DEADLINES.nodeInitialisation
  const startsOver = (facts.initialiseFailed !== undefined || isOverdue) && facts.firstReadyAt === undefined && !isAdmittedAlready(facts, machine)
  return withFacts(facts, { initialiseFailed: undefined, login: undefined, joinedAt: now, admittedRun: machine.run, machineExistsAt: startsOver ? now : facts.machineExistsAt ?? now, progress: admitted(machine, now), ...startsOver && { pausedMs: 0 } })
}
