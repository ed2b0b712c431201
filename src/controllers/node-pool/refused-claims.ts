import { balanceEvidence } from '#model/account/evidence.ts'
import { machineEntry, ownMachine } from '#model/node/claim.ts'
import { isWhole, leftoverText } from '#model/node-pool/leftovers.ts'
import { isPutOff, refusalEvidence, refusedOnceMore, retriedAt } from '#model/node-pool/refusal.ts'
import type { NodePoolFacts, NodePoolRecord } from '#model/node-pool/record.ts'
import type { MachineRecord, Transaction } from '#ports/store.ts'
import { adopt, mayAdopt, tryOneClaim } from './claims.ts'
import type { NodePoolPorts } from './ports.ts'

type Refused = NonNullable<NodePoolFacts['refused']>

export interface Answered {
  /** Undefined: nothing is refused any more, and claims are made as usual. */
  readonly refused: Refused | undefined
  /** Machines that are still missing. */
  readonly open: number
  /** The claim that it tried has left something that cannot be taken back. */
  readonly parked?: NonNullable<NodePoolFacts['leftovers']>[number]
}

/** When the region last told of something by which the pool may have what it was refused. */
export function toldAtOf({ region, facts: { refused } }: Pick<NodePoolRecord, 'region' | 'facts'>, ports: NodePoolPorts): number | undefined {
  return ports.regionOf(region).toldAt?.(refused?.claim ?? refused?.tried)
}

/** A claim that is being tried wakes the pool itself; one that cannot be taken back is looked at again at its time. */
export function retryOf(refused: Refused, now: number, toldAt: number | undefined): number | undefined {
  const at = retriedAt(refused, toldAt)
  return refused.claim === undefined || (at !== undefined && at > now) ? at : undefined
}

/** Its claim is gone, be it as it may: nothing is wanted that it could tell of. */
export function untried({ claim, again: _again, onceGone: _gone, ...refused }: Refused): Refused {
  return { ...refused, ...claim !== undefined && { tried: claim } }
}

/**
 * A pool that was refused machines asks for one only, when its time has come; that one tells whether the others are had. `missing`: how many it wants and has not,
 * the one that is being tried among them.
 */
export async function answerRefusal(tx: Transaction, pool: NodePoolRecord, missing: number, isPaid: boolean, ports: NodePoolPorts): Promise<Answered> {
  const { clock, tellsAll } = ports.regionOf(pool.region), now = clock.now()
  const { refused } = pool.facts
  if (!refused) return { refused, open: missing }
  if (refused.claim !== undefined) return await answerClaim(tx, pool, { ...refused, claim: refused.claim }, missing, ports)
  if (missing === 0) return { refused: undefined, open: 0 }
  if (!isPaid && isPutOff(refused, now, toldAtOf(pool, ports))) return { refused, open: missing }
  const tried = await tryOneClaim(tx, pool, ports, refused.tried)
  return { open: missing, refused: typeof tried === 'string' ? { ...refused, claim: tried, triedAt: now } : refusedOnceMore(refused, tried, now, tellsAll) }
}

async function answerClaim(tx: Transaction, pool: NodePoolRecord, { claim, ...refused }: Refused & { readonly claim: string }, missing: number, ports: NodePoolPorts): Promise<Answered> {
  const { clock, tellsAll } = ports.regionOf(pool.region), now = clock.now()
  const machine = ownMachine(await tx.lockMachine(claim), { nodePoolId: pool.id })
  if (!machine) {
    const { again, onceGone, ...rest } = refused
    // Whatever changed while it was to go is an answer to the next one.
    return { refused: missing > 0 ? { ...rest, tried: claim, ...(again || onceGone) && { retryAt: now } } : undefined, open: missing }
  }
  if (machine.machineId !== undefined && missing > 0 && machine.deletionRequestedAt === undefined) {
    await adopt(tx, pool, machine, ports)
    return { refused: undefined, open: missing - 1 }
  }
  if (machine.refused && machine.deletionRequestedAt === undefined) {
    const evidence = [refusalEvidence(machine.name, machine.refused), ...machine.refused.as === 'Balance' ? [balanceEvidence(await ports.store.findAccount(pool), await tx.meterOf(pool), { now })] : []]
    const next = refusedOnceMore({ ...refused, claim }, { ...machine.refused, triedAt: machine.refused.asked?.at ?? machine.refused.at, evidence }, now, tellsAll)
    // Of an error nobody knows what it left behind.
    if (machine.refused.as === 'ScalingFailed' || machine.refused.left) {
      await askGone(tx, machine, now)
      return { refused: { ...next, claim }, open: missing }
    }
    await dropRefused(tx, pool, machine, now)
    return { refused: missing > 0 ? next : undefined, open: missing }
  }
  const { leftovers = [] } = pool.facts
  if (missing > 0 && isWhole(machine) && await mayAdopt(pool, ports)) {
    await adopt(tx, pool, machine, ports)
    return { refused: undefined, open: missing - 1 }
  }
  if (machine.obstacle && (missing === 0 || leftovers.length < MOST_LEFT)) return { ...park(machine, refused, missing, now), open: missing }
  if (machine.obstacle) return { refused: await stillThere(tx, machine, refused, { now, tellsAll, toldAt: toldAtOf(pool, ports) }), open: missing }
  if (machine.machineId !== undefined || machine.deletionRequestedAt !== undefined) await askGone(tx, machine, now)
  return { refused: { ...refused, claim }, open: missing }
}

/** Each may cost something: a provider that fails at what it makes, and at taking it back, is not asked for more and more of them. */
const MOST_LEFT = 3

/** It cannot be taken back, and the next one is tried all the same. */
function park(machine: MachineRecord, { again, onceGone, ...refused }: Refused, missing: number, now: number): Pick<Answered, 'refused' | 'parked'> {
  const parked = { claim: machine.id, because: leftoverText(machine) }
  if (missing === 0) return { refused: undefined, parked }
  return { parked, refused: { ...refused, because: whyNot(machine, refused), tried: machine.id, ...(again || onceGone) && { retryAt: now } } }
}

/** What is there was made, whatever was answered. */
function whyNot({ name, machineId, refused }: MachineRecord, { because }: Pick<Refused, 'because'>): string {
  return machineId !== undefined && refused?.as === 'ScalingFailed' && refused.because === because ? `The machine ${name} is there, though the call that makes it failed` : because
}

/**
 * It cannot be taken back. The answer to each asking wakes the pool, so it is asked to go again only when the next time has come, and then there is a later one: pool and machine would wake each other
 * for ever in one instant.
 */
async function stillThere(tx: Transaction, machine: MachineRecord, { again, ...refused }: Refused, { now, tellsAll, toldAt }: { readonly now: number; readonly tellsAll: boolean | undefined; readonly toldAt: number | undefined }): Promise<Refused> {
  const { name, obstacle } = machine
  const why = obstacle?.because ?? 'it is still there'
  const known = {
    ...refused, claim: machine.id, as: 'ScalingFailed' as const,
    because: `${machine.refused ? whyNot(machine, machine.refused) : `The machine ${name} is not wanted any more`}; it cannot be taken back: ${why}`,
    evidence: [...machine.refused ? [refusalEvidence(name, machine.refused)] : [], { observer: 'machine controller', source: `machine ${name}`, observedAt: obstacle?.at ?? now, fact: `${why}.` }],
  }
  if (!again && isPutOff(refused, now, toldAt)) return known
  await askGone(tx, machine, now)
  return { ...refusedOnceMore(known, { ...known, triedAt: now }, now, tellsAll), claim: machine.id, ...(again || refused.onceGone) && { onceGone: true } }
}

/** Nothing was made of it. */
async function dropRefused(tx: Transaction, pool: NodePoolRecord, machine: MachineRecord, now: number): Promise<void> {
  await tx.releaseAddress(machine.region, machine.id)
  await tx.putLedger(machineEntry({ ...machine, name: pool.spec.name, ownedBy: { nodePoolId: pool.id, clusterId: pool.clusterId } }, 'Released', now, { because: machine.refused?.because ?? 'It was not made' }))
  await tx.forgetMachine(machine.id)
}

/** A machine of a bare claim that nobody wants any more. */
export async function askGone(tx: Transaction, machine: MachineRecord, now: number): Promise<void> {
  if (machine.deletionRequestedAt !== undefined && !machine.obstacle) return
  await tx.changeMachine(machine.id, { deletionRequestedAt: now, obstacle: null })
  await tx.enqueue({ kind: 'machine', id: machine.id, region: machine.region })
}
