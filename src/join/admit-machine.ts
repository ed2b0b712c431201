import type { ClusterRecord } from '#model/cluster/record.ts'
import type { Evidence } from '#model/evidence.ts'
import { Refusal } from '#model/errors/catalogue.ts'
import { newId } from '#model/ids.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeFacts, NodeRecord, NodeSpec } from '#model/node/record.ts'
import type { OnboardingRecord } from '#model/onboarding/record.ts'
import { checkPrecondition } from '#model/preconditions.ts'
import { rfc3339Seconds } from '#model/time.ts'
import { withFacts } from '#model/with-facts.ts'
import type { MachineSecret, Store, Transaction } from '#ports/store.ts'
import { beginningOf, beginsText, type Beginning } from './node-settings.ts'
import { JoinRefused } from './refused.ts'

/** A kubelet's certificate is given for a year; a removed name is free again when it has certainly ended. */
export const CERTIFICATE_MS = 366 * 86_400_000

export interface Newcomer {
  readonly secretHash: string
  readonly hostname: string
  readonly architecture: string
  readonly machineId: string
  /** With which it reached us. */
  readonly address: string
  readonly kernel: string
  /** The run of its script, all tries to be admitted among it. Absent: each try counts as a run of its own, as of scripts that were handed out before runs had names. */
  readonly run?: string
  /** What its script does once it is admitted; the scripts of machines that are no invention check first what a node needs. */
  readonly firstStep?: keyof typeof FIRST_STEPS
  /** It is outside of the region's network: its node has one of these addresses. */
  readonly overlayPool?: { readonly first: string; readonly last: string }
}

const FIRST_STEPS = { preflight: 'it was admitted and checks what a node needs', download: 'it was admitted and fetches its programs' } as const

/** What is known of an admitted machine until it reports: the step that its script takes from now on. */
export function admitted({ firstStep = 'preflight' }: Newcomer, now: number): NonNullable<NodeFacts['progress']> {
  return { step: firstStep, text: FIRST_STEPS[firstStep], at: now }
}

/** Committed machine secrets, read once the cluster's lock is held: whoever removes a node holds it too. */
export type Secrets = Pick<Store, 'findMachineSecret' | 'machineSecretsOf'>

export interface Admitted {
  readonly cluster: ClusterRecord
  readonly nodePool: NodePoolRecord
  readonly nodeId: string
  readonly nodeName: string
  readonly nodeAddress: string
  readonly begins: Beginning
}

/**
 * The join of one machine as one transaction: the same secret is the same machine and keeps its node; another one with a taken or reserved name is
 * refused and touches nothing. Locks cluster, pool, node in that order, so that joins of one cluster come one after another.
 */
export async function admitMachine(tx: Transaction, secrets: Secrets, onboarding: OnboardingRecord, machine: Newcomer, now: number, randomBytes: Uint8Array): Promise<Admitted> {
  const cluster = await tx.lockCluster(onboarding.clusterId)
  const nodePool = cluster && (await tx.lockNodePool(onboarding.nodePoolId))
  if (!cluster || !nodePool) throw new JoinRefused(403, `The cluster or node pool of the onboarding script ${onboarding.name} is gone.`)
  // It was looked at before the cluster was locked; deletion may have come between.
  if ((await tx.findOnboarding(onboarding.id))?.deletedAt !== undefined) throw new JoinRefused(403, `The onboarding script ${onboarding.name} was deleted at the same moment.`)
  if (cluster.facts.deletion ?? nodePool.facts.deletion) throw new JoinRefused(409, `The ${cluster.facts.deletion ? `cluster ${cluster.spec.name}` : `node pool ${nodePool.spec.name}`} is being deleted and takes no more machines.`)

  const name = nodeNameOf(machine.hostname)
  const secret = await secrets.findMachineSecret(machine.secretHash)
  if (secret?.state === 'removed') throw new JoinRefused(410, `This machine was removed from its cluster as the node ${secret.nodeName}; it cleans up and comes again as a new one.`)
  const nodes = await tx.nodesOf({ clusterId: cluster.id })
  const own = secret?.state === 'member' ? nodes.find((node) => node.id === secret.nodeId) : undefined
  if (own) checkOwn(own, cluster, nodePool, name)
  else await checkNewcomer(secrets, cluster, nodePool, nodes, name, secret, now)
  const nodeAddress = machine.overlayPool ? await overlayAddress(tx, cluster.region, machine.secretHash, machine.overlayPool) : machine.address
  const because = whatWasSeen(machine, name, nodeAddress, onboarding, now)
  const spec: NodeSpec = { name, onboardingId: onboarding.id, architecture: machine.architecture, machineId: machine.machineId, address: nodeAddress }
  const nodeId = own?.id ?? newId('node', now, randomBytes)
  const facts: NodeFacts = {
    claimedAt: now, machineExistsAt: now, progress: admitted(machine, now), ...machine.run !== undefined && { admittedRun: machine.run }, pausedMs: 0, obstacles: [], unschedulable: false, outOfSync: false, unpaid: false, ...nodePool.spec.cordon && { toCordon: true as const },
  }
  const begins = beginningOf(nodePool, own ?? { spec, facts })
  if (own) {
    const locked = await tx.lockNode(own.id)
    if (locked) await tx.changeNode(own.id, { spec: { ...locked.spec, ...spec }, facts: { ...startedOver(locked, machine, now), ...beginsText(begins) } }, because)
  } else await tx.insertNode({ id: nodeId, accountId: cluster.accountId, region: cluster.region, clusterId: cluster.id, nodePoolId: nodePool.id, spec, facts: { ...facts, ...beginsText(begins) } }, because)
  await tx.putMachineSecret({
    secretHash: machine.secretHash, clusterId: cluster.id, nodePoolId: nodePool.id, nodeId, nodeName: name, onboardingId: onboarding.id,
    state: 'member', certificateUntil: now + CERTIFICATE_MS, changedAt: now,
  })
  for (const key of [{ kind: 'node', id: nodeId }, { kind: 'node-pool', id: nodePool.id }, { kind: 'cluster', id: cluster.id }] as const) await tx.enqueue({ ...key, region: cluster.region })
  return { cluster, nodePool, nodeId, nodeName: name, nodeAddress, begins }
}

/** The owner of a machine's address in the overlay: the secret, whose tombstone keeps it from others as it keeps the name. */
export const overlayOwner = (secretHash: string): string => `machine ${secretHash}`

/** Its address in the overlay, claimed for good. Throws JoinRefused where all are taken. */
export async function overlayAddress(tx: Transaction, region: string, secretHash: string, pool: { readonly first: string; readonly last: string }): Promise<string> {
  const address = await tx.claimAddress(region, overlayOwner(secretHash), pool)
  if (address === undefined) throw new JoinRefused(503, `All addresses from ${pool.first} to ${pool.last}, which machines outside of the region's network have, are taken; delete nodes that are no more.`)
  return address
}

/** The node name a hostname gives: in lower case, a DNS-1123 subdomain of at most 63 characters. */
export function nodeNameOf(hostname: string): string {
  const name = hostname.toLowerCase()
  const label = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?'
  if (name.length > 63 || !new RegExp(`^${label}(\\.${label})*$`).test(name)) throw new JoinRefused(400, `This machine's hostname, ${hostname.slice(0, 80) || '(empty)'}, cannot be a node's name: at most 63 characters a–z, 0–9, - and ., beginning and ending with a letter or digit.`)
  if (name === 'localhost') throw new JoinRefused(400, 'This machine is called localhost; give it a hostname of its own.')
  return name
}

function checkOwn(own: NodeRecord, cluster: ClusterRecord, nodePool: NodePoolRecord, name: string): void {
  if (own.facts.deletion) throw new JoinRefused(409, `This machine's node ${own.spec.name} is being deleted; run the script again when it is gone.`)
  if (own.nodePoolId !== nodePool.id) throw new JoinRefused(409, `This machine is already the node ${own.spec.name} in another node pool of the cluster ${cluster.spec.name}; delete that node first.`)
  if (own.spec.name !== name) throw new JoinRefused(409, `This machine is already the node ${own.spec.name}, and its hostname is now ${name}; give it the old name, or delete that node first.`)
}

async function checkNewcomer(secrets: Secrets, cluster: ClusterRecord, nodePool: NodePoolRecord, nodes: readonly NodeRecord[], name: string, secret: MachineSecret | undefined, now: number): Promise<void> {
  if (secret?.state === 'member' && secret.clusterId !== cluster.id) throw new JoinRefused(409, `This machine is already the node ${secret.nodeName} of another cluster; delete that node, or run \`edgehold-node reset\` on the machine, first.`)
  if (nodePool.spec.type === 'machine-set') throw new JoinRefused(409, `The node pool ${nodePool.spec.name} takes no machines by script.`)
  try {
    checkPrecondition('CreateEdgeNode', { cluster, nodePool }, now)
  } catch (error) {
    if (error instanceof Refusal) throw new JoinRefused(409, error.message, { cause: error })
    throw error
  }
  if (nodes.some((node) => node.spec.name === name)) throw new JoinRefused(409, `The cluster ${cluster.spec.name} has a node ${name} already, and that is another machine; give this one another hostname.`)
  const reserved = (await secrets.machineSecretsOf(cluster.id)).find((other) => other.nodeName === name && other.state !== 'confirmed' && (other.certificateUntil ?? 0) > now)
  if (reserved) throw new JoinRefused(409, `The name ${name} is reserved: the machine that had it was removed and has not confirmed yet that it cleaned up. It is free at ${rfc3339Seconds(reserved.certificateUntil ?? now)} at the latest; give this machine another hostname, or let that one confirm.`)
}

/** It was admitted by this run of its script already, and told to come again all the same, as where the API of its cluster did not answer. */
export function isAdmittedAlready({ admittedRun }: NodeFacts, { run }: Newcomer): boolean {
  return run !== undefined && run === admittedRun
}

/** The same machine runs its script again: what failed is taken back, and a node that was never Ready gets its fifteen minutes anew; once for each run. */
function startedOver({ facts }: NodeRecord, machine: Newcomer, now: number): NodeFacts {
  if (facts.firstReadyAt !== undefined) return withFacts(facts, { initialiseFailed: undefined })
  if (isAdmittedAlready(facts, machine)) return withFacts(facts, { progress: admitted(machine, now) })
  return withFacts(facts, { initialiseFailed: undefined, progress: admitted(machine, now), machineExistsAt: now, pausedMs: 0, admittedRun: machine.run })
}

function whatWasSeen(machine: Newcomer, name: string, nodeAddress: string, onboarding: OnboardingRecord, now: number): { evidence: readonly Evidence[] } {
  return {
    evidence: [{
      observer: 'join endpoint', source: `machine ${name}`, observedAt: now,
      fact: `The machine ${name} at ${machine.address}${nodeAddress === machine.address ? '' : `, outside of the region's network, in which it has ${nodeAddress}`} (${machine.architecture}, kernel ${machine.kernel}) ran the onboarding script ${onboarding.name}.`,
    }],
  }
}
