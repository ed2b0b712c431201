import type { Evidence } from '#model/evidence.ts'
import type { NodeFacts, NodeRecord } from '#model/node/record.ts'
import type { OnboardingRecord } from '#model/onboarding/record.ts'
import { withFacts } from '#model/with-facts.ts'
import type { MachineSecret } from '#ports/store.ts'
import type { JoinOptions } from './join-options.ts'
import type { Invitation } from './onboarding-token.ts'
import { JoinRefused } from './refused.ts'

type Options = Pick<JoinOptions, 'store' | 'clock'>
type TurnedAway = NonNullable<NodeFacts['turnedAway']>

/** One try of a machine to be let in. */
interface Try {
  readonly secretHash: string
  readonly beganAt: number
  /** Its script does not ask again, whatever it is answered. */
  readonly isLast: boolean
}

/**
 * What a machine was refused with, for its node to say: the script says it on the machine alone, and at the first boot of one that was ordered nobody hears it. Of those that were logged in to the session hears it. Others come in vain to a
 * node that has its machine, and a machine that comes to a pool by a script is of no node before it is admitted.
 */
export async function noteTurnedAway({ store, clock }: Options, invitation: Invitation, { secretHash, beganAt, isLast }: Try, { status, message }: JoinRefused): Promise<void> {
  const secret = await store.findMachineSecret(secretHash), now = clock.now(), comesAgain = status === 503
  const nodeId = invitation.kind === 'node' ? invitation.nodeToken.nodeId : isOfPool(secret, invitation.onboarding) ? secret?.nodeId : undefined
  if (nodeId === undefined) return
  const text = message.replace(/\.$/, ''), failed = !comesAgain || isLast
  // What is known of its progress since is of a later try that was admitted: the machine gave up on this one.
  const isOf = ({ facts, spec }: NodeRecord) => spec.login === undefined && (facts.progress?.at ?? beganAt) <= beganAt && facts.deletion === undefined && facts.firstReadyAt === undefined
    && (secret?.nodeId === nodeId ? comesAgain : invitation.kind === 'node' && facts.joinedAt === undefined)
  await store.write(now, async tx => {
    const node = await tx.lockNode(nodeId)
    if (!node || !isOf(node)) return
    const known = node.facts.turnedAway, isKnown = known?.text === text && (known.failed === true) === failed
    if (isKnown) return
    const turnedAway: TurnedAway = { text, since: now, heard: true, ...failed && { failed } }
    const evidence: Evidence = { observer: 'join endpoint', source: `onboarding script on machine ${node.spec.machine ?? node.spec.name}`, observedAt: now, fact: `The join endpoint ${failed ? 'refused it' : 'told it to come again later'}: ${text}.` }
    await tx.changeNode(nodeId, { facts: withFacts(node.facts, { turnedAway }) }, { evidence: [evidence] })
  })
}

/** The script of another cluster, or of another pool, lets no machine in that is a node already, and is nothing to that node. */
function isOfPool(secret: MachineSecret | undefined, { clusterId, nodePoolId }: OnboardingRecord): boolean {
  return secret?.clusterId === clusterId && secret.nodePoolId === nodePoolId
}

/** It was let in. */
export async function noteLetIn({ store, clock }: Options, nodeId: string): Promise<void> {
  if ((await store.findNode(nodeId))?.facts.turnedAway === undefined) return
  await store.write(clock.now(), async tx => {
    const node = await tx.lockNode(nodeId)
    if (node?.facts.turnedAway) await tx.changeNode(nodeId, { facts: withFacts(node.facts, { turnedAway: undefined }) }, { evidence: [] })
  })
}
