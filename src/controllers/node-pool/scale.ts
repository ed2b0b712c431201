import { isDeepStrictEqual } from 'node:util'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { Evidence } from '#model/evidence.ts'
import type { NodePoolFacts, NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import { isPutOff, retriedAt } from '#model/node-pool/refusal.ts'
import { targetOf } from '#model/node-pool/scaling.ts'
import { withFacts } from '#model/with-facts.ts'
import { wakeSharers } from '#ports/sharing-pools.ts'
import type { Store } from '#ports/store.ts'
import { TenantClusterUnreachable, type RoomSeen } from '#ports/tenant-cluster.ts'
import { claimMachines, keepWaiting } from './claims.ts'
import type { NodePoolDecision } from './decide.ts'
import { inTheWay, isLimited, whyNoneComes } from './in-the-way.ts'
import { answerWithLeftovers } from './leftovers.ts'
import { lackedBy } from './late-resources.ts'
import { needsNodes } from './need.ts'
import { needOfPool, standing } from './need-of-pool.ts'
import { isFull, mayGiveWay, planScaling, type ScalingPlan } from './plan-scaling.ts'
import type { NodePoolPorts } from './ports.ts'
import { retryOf, toldAtOf, untried } from './refused-claims.ts'
import { isBroken, isOfNoUse, scaleIn, startStopped, stillOnFrom } from './scale-in.ts'
import { activeOf, shareOf, wishOf } from './share-need.ts'

/** True while the size of a pool is its own affair: it makes its machines, and its cluster takes them. */
export function isScaled(pool: NodePoolRecord, cluster: ClusterRecord | undefined, next: NodePoolFacts): boolean {
  return cluster?.facts.controlPlane === 'usable' && mayHaveMembers(pool, cluster, next)
}

function mayHaveMembers({ spec, facts }: NodePoolRecord, cluster: ClusterRecord, next: NodePoolFacts): boolean {
  return spec.scaling !== undefined && next.ready && !facts.deletion && !next.creationEnded && !cluster.facts.deletion && !cluster.facts.unpaid
}

/** What a pool wants of members that were switched off, or are about to be, though the API of their cluster is away: to run again takes none. All else of a pool's size waits until it is back. */
export async function lookForWanted(record: NodePoolRecord, cluster: ClusterRecord, next: NodePoolFacts, ports: NodePoolPorts): Promise<Pick<ScalingPlan, 'start' | 'awaits'> | undefined> {
  if (!mayHaveMembers(record, cluster, next) || cluster.facts.firstReadyAt === undefined) return undefined
  return (await plan({ ...record, facts: next }, undefined, new Members(ports.store), ports.regionOf(record.region).clock.now(), ports, WITHOUT_API))?.planned
}

const WITHOUT_API: PlanHow = { withoutApi: true }

export async function startWanted(record: NodePoolRecord, ports: NodePoolPorts): Promise<void> {
  const now = ports.regionOf(record.region).clock.now()
  await ports.store.write(now, async tx => {
    const there = await tx.lockCluster(record.clusterId), pool = await tx.lockNodePool(record.id)
    if (!there || !pool || !mayHaveMembers(pool, there, pool.facts)) return
    const members = new Members(tx), look = await plan(pool, undefined, members, now, ports, WITHOUT_API)
    if (!look) return
    const saw = { source: 'its cluster', fact: 'Its API is away, and none is needed to switch a machine on.' }
    // What pods would find no room on is given back once others can come in its place.
    await startStopped(tx, pool, { nodes: (await members.of(pool.id)).filter(node => !isOfNoUse(node, pool.spec)), count: look.planned.start }, now, evidenceOf({ ...pool, counts: look.counts }, look.planned, saw, undefined, now))
  })
}

export interface ToScale {
  readonly record: NodePoolRecord
  readonly decision: NodePoolDecision
  /** The decision says more than the record. */
  readonly isNews: boolean
  readonly cluster: ClusterRecord
}

/**
 * Brings the pool to the size that callers and need ask for. What is decided is decided in one transaction under the cluster's lock, on counts as they are then; a pass
 * that finds nothing to do opens none. What the pass has decided otherwise is written along. Answers when to look again.
 */
export async function scale({ record, decision, isNews, cluster }: ToScale, ports: NodePoolPorts): Promise<number | undefined> {
  const { store } = ports
  const { saw } = decision
  const { clock, tellsAll } = ports.regionOf(record.region)
  const room = record.spec.scaling?.enabled ? await lookForRoom(cluster, ports) : undefined
  const now = clock.now()
  const next = withFacts(decision.facts, { blindSince: record.spec.scaling?.enabled && !room && tellsAll ? decision.facts.blindSince ?? now : undefined })
  const isPaid = next.refused?.as === 'Balance' && (await store.findAccount(record)).arrearsSince === undefined
  const first = await plan({ ...record, facts: next }, room, new Members(store), now, ports), early = first?.planned
  if (!early) return undefined
  const toldAt = toldAtOf({ ...record, facts: next }, ports)
  if (!isNews && isNothing(early, next, { now, toldAt, isPaid }) && isDeepStrictEqual(withPlan(next, early), record.facts)) return soonest(early.lookAgainAt, next.refused && early.claim > 0 ? retriedAt(next.refused, toldAt) : undefined)

  // What came to run between the look and the counting is in neither: whoever is about to ask for a machine looks once more, and all go by what was on its way before that.
  const latest = early.claim + early.start > 0 && room !== undefined && room.waiting.length > 0 ? await lookForRoom(cluster, ports) : room
  return await store.write(now, async tx => {
    await tx.lockCluster(record.clusterId)
    const locked = await tx.lockNodePool(record.id)
    if (!locked || locked.facts.deletion) return undefined
    const pool = { ...locked, facts: next }
    const members = new Members(tx)
    const look = await plan(pool, latest, members, now, ports, { before: first.coming })
    if (!look) return undefined
    const { planned, counts } = look
    const evidence = evidenceOf({ ...pool, counts }, planned, saw, look.room, now)
    const started = planned.start > 0 ? await startStopped(tx, pool, { nodes: await members.of(pool.id), count: planned.start }, now, evidence) : 0
    // Those that were started above are none of those that may go.
    if (planned.surplus + planned.drop + planned.givesWay.length > 0) await scaleIn(tx, pool, { nodes: await (planned.start > 0 ? new Members(tx) : members).of(pool.id), plan: planned }, now, evidence)
    const answered = await answerWithLeftovers(tx, pool, planned.claim + planned.start - started, isPaid, ports)
    const { refused, made } = answered.refused ? { refused: answered.refused, made: 0 } : planned.leavesIt ? { refused: next.refused && untried(next.refused), made: 0 } : await claimRest(answered.open)
    const waits = refused ? answered.open - made : 0
    if (next.refused ?? refused) await keepWaiting(tx, pool, waits, { region: ports.regionOf(pool.region), because: refused?.because })
    for (const id of decision.wake) await tx.enqueue({ kind: 'node', id, region: record.region })
    await tx.changeNodePool(record.id, { revision: record.revision, facts: withFacts(withPlan(next, planned), { refused: refused && { ...refused, waits, ...planned.givesWay.length > 0 && { leftFor: true } }, leftovers: answered.leftovers }) }, { evidence })
    if ((refused === undefined) !== (record.facts.refused === undefined)) await wakeSharers(tx, record)
    return soonest(soonest(planned.lookAgainAt, look.isBehind ? now + BEHIND_AGAIN_MS : undefined), refused && (waits > 0 || refused.claim !== undefined) ? retryOf(refused, now, toldAtOf({ ...record, facts: { ...next, refused } }, ports)) : undefined)

    async function claimRest(open: number): Promise<{ refused: NodePoolFacts['refused']; made: number }> {
      const { made, missing } = await claimMachines(tx, pool, open, ports)
      return { made, refused: missing && { ...missing, since: now, times: 1, triedAt: now, retryAt: now + NO_CLAIM_AGAIN_MS } }
    }
  })
}

/** What keeps a claim from being made is looked at again soon: it costs no provider anything. */
const NO_CLAIM_AGAIN_MS = 5_000

/** A machine that has just come may have been counted twice, so what pods still need may be more. */
const BEHIND_AGAIN_MS = 1_000

type Reader = Pick<Store, 'nodePoolsOf' | 'nodesOf'>

/** The nodes of each pool that one look asks for, read once. */
class Members {
  readonly reader: Reader
  readonly #read = new Map<string, Promise<readonly NodeRecord[]>>()

  constructor(reader: Reader) {
    this.reader = reader
  }

  of(nodePoolId: string): Promise<readonly NodeRecord[]> {
    const read = this.#read.get(nodePoolId) ?? this.reader.nodesOf({ nodePoolId })
    this.#read.set(nodePoolId, read)
    return read
  }
}

/** Members of each pool that were on their way at some time. */
type Coming = ReadonlyMap<string, Pick<NodePoolRecord['counts'], 'creating' | 'starting'>>

interface Planned {
  readonly planned: ScalingPlan
  readonly room: RoomSeen | undefined
  readonly counts: NodePoolRecord['counts']
  readonly coming: Coming
  /** Some of those that were on their way before are so no more. */
  readonly isBehind: boolean
}

interface PlanHow {
  readonly before?: Coming
  readonly withoutApi?: true
}

async function plan(pool: NodePoolRecord, looked: RoomSeen | undefined, members: Members, now: number, ports: NodePoolPorts, { before, withoutApi }: PlanHow = {}): Promise<Planned | undefined> {
  const { scaling } = pool.spec
  if (!scaling) return undefined
  const asks = looked !== undefined && looked.waiting.length > 0 && needsNodes(looked)
  const pools = asks ? (await members.reader.nodePoolsOf(pool.clusterId)).map(one => (one.id === pool.id ? pool : one)) : []
  const { needed, room, facts } = needOfPool(pool, { room: looked, pools, nodes: asks ? await nodesOf(pools, members, one => one === pool.id || looked.free.some(node => lackedBy(node).length > 0)) : new Map() }, now)
  const waits = room !== undefined && room.waiting.length > 0
  const counts = await emptyOf({ ...pool, counts: await stayingOf(pool, members) }, looked, members)
  const toldAt = toldAtOf(pool, ports)
  const need = waits ? await needOf({ ...pool, facts, counts }, pools, needed ?? room, members, { now, toldAt, before, ports }) : { share: 0, counts }
  const mayIdle = room !== undefined && (!waits || isFull({ spec: pool.spec, facts, room, ...need })) && activeOf(need.counts) > targetOf(scaling)
  const idlers = mayIdle ? (await members.of(pool.id)).filter(node => node.said.status.phase === 'Running' || isBroken(node)) : []
  const isLight = room !== undefined && idlers.some(node => room.light.some(({ name }) => name === node.spec.name))
  const { stillOn, goingOff } = await goOff(pool, members, now)
  const seen = { now, spec: pool.spec, facts, ...need, room, ...stillOn > 0 && { stillOn }, ...goingOff && { goingOff }, ...withoutApi && { withoutApi }, ...toldAt !== undefined && { toldAt }, ...(pool.facts.blindSince !== undefined && { blindFor: now - pool.facts.blindSince }), members: idlers.map(({ id, spec: { name } }) => ({ id, name })), ...(isLight && await amongOthers(pool, room, members)) }
  const planned = planScaling(seen)
  ports.onDecision?.({ by: 'planScaling', about: pool.id, seen, decided: planned })
  const coming = new Map(pools.map(one => [one.id, one.counts]))
  return planned && { planned, room, counts: need.counts, coming, isBehind: pools.some(one => isBehind(one, before)) }
}

/** Of members that were ordered off how many are on all the same, and which one counts as that next. */
async function goOff({ id, counts }: Pick<NodePoolRecord, 'id' | 'counts'>, members: Members, now: number): Promise<{ readonly stillOn: number; readonly goingOff: NodePoolFacts['awaits'] }> {
  const some = (counts.stopping === 0 ? [] : await members.of(id)).flatMap(node => ({ node: node.spec.name, until: stillOnFrom(node) ?? Infinity })).filter(({ until }) => until < Infinity)
  const [goingOff] = some.filter(({ until }) => until > now).sort((one, other) => one.until - other.until || (one.node < other.node ? -1 : 1))
  return { stillOn: some.filter(({ until }) => until <= now).length, goingOff }
}

function isBehind({ id, counts }: Pick<NodePoolRecord, 'id' | 'counts'>, before: Coming | undefined): boolean {
  const was = before?.get(id)
  return was !== undefined && (was.creating > counts.creating || was.starting > counts.starting)
}

/** With those that were on their way before the look and are not in what it saw. */
function withComing<Pool extends Pick<NodePoolRecord, 'id' | 'counts'>>(pool: Pool, before: Coming | undefined): Pool {
  const { creating = 0, starting = 0 } = before?.get(pool.id) ?? {}
  return { ...pool, counts: { ...pool.counts, creating: Math.max(pool.counts.creating, creating), starting: Math.max(pool.counts.starting, starting) } }
}

/** Those that may leave, and all of some pools. */
async function nodesOf(pools: readonly NodePoolRecord[], members: Members, isWhole: (nodePoolId: string) => boolean = () => false): Promise<ReadonlyMap<string, readonly NodeRecord[]>> {
  return new Map(await Promise.all(pools.map(async ({ id, counts }) => [id, isWhole(id) || counts.deleting + counts.stopping + counts.stopped + counts.failed > 0 ? await members.of(id) : []] as const)))
}

/** The room on nodes that stay, and the names of those of pools that have more than callers want, and may give back some themselves. */
async function amongOthers({ id, clusterId }: NodePoolRecord, room: RoomSeen, members: Members): Promise<{ readonly room: RoomSeen; readonly others: readonly string[] }> {
  const pools = await members.reader.nodePoolsOf(clusterId)
  const others = await Promise.all(pools.filter(one => one.id !== id && one.spec.scaling?.enabled && activeOf(one.counts) > targetOf(one.spec.scaling)).map(one => members.of(one.id)))
  return { room: standing(room, [...(await nodesOf(pools, members)).values()].flat()), others: others.flat().map(({ spec }) => spec.name) }
}

interface Need {
  readonly share: number
  readonly counts: NodePoolRecord['counts']
  readonly givesWay?: readonly string[]
  readonly givesWayAt?: number
  readonly closed?: readonly string[]
  readonly kept?: NonNullable<NodePoolFacts['kept']>
}

/**
 * How many machines of what pods wait for this pool takes. Where there is no place for any, be it under a quota, a member that is lost, and on which nothing is known to run, leaves for one, and so does one that somebody cordoned and that carries nothing: it offers no room, and would keep the place for ever.
 */
async function needOf(pool: NodePoolRecord, pools: readonly NodePoolRecord[], room: RoomSeen, members: Members, { now, toldAt, before, ports }: { readonly now: number; readonly toldAt: number | undefined; readonly before: Coming | undefined; readonly ports: NodePoolPorts }): Promise<Need> {
  const { counts } = pool
  const others = await Promise.all(pools.filter(({ id }) => id !== pool.id).map(async one => withComing({ ...one, counts: await stayingOf(one, members), stillOn: (await goOff(one, members, now)).stillOn }, before)))
  const share = wishOf(pool.id, [...others, withComing(pool, before)], room), limited = isLimited(pool.facts) && counts.stopped + counts.stopping === 0
  if ((share > 0 && !limited) || (counts.failed === 0 && !room.free.some(({ shut }) => shut)) || !pool.spec.scaling) return { share, counts }
  const { lost, closed, kept } = inTheWay(pool, await members.of(pool.id), room, now)
  const goes = mayGiveWay([...lost, ...closed], pool.facts, toldAt), stay = closed.flatMap(({ id }) => (id === goes?.id ? [] : id)), isLost = lost.some(({ id }) => id === goes?.id)
  const wait = { share, counts, closed: closed.map(({ id }) => id) }
  if (goes && goes.at > now) return { ...wait, givesWayAt: goes.at }
  if (!goes && !kept) return wait
  const without = { ...pool, counts: { ...counts, ...isLost ? { failed: counts.failed - 1 } : { running: counts.running - 1 }, deleting: counts.deleting + 1 } }
  // A machine that callers want in its place meets the need as well.
  const unwanted = { ...without, spec: { ...pool.spec, scaling: { ...pool.spec.scaling, minReplicas: 0, desiredReplicas: 0 } } }
  const freed = (limited ? wishOf : shareOf)(pool.id, [...others, unwanted], room)
  if (freed === 0) return wait
  const noneComes = isLost ? undefined : await whyNoneComes(pool, ports)
  if (noneComes !== undefined) return { ...wait, kept: { nodes: kept?.nodes ?? closed.map(({ name }) => name), noneComes } }
  if (!goes) return { ...wait, ...kept && { kept } }
  return { share: limited ? wishOf(pool.id, [...others, without], room) : freed, counts: without.counts, givesWay: [goes.id], closed: stay }
}

/** A member whose removal has come to an end that is none is Failed, and still one that leaves: it stands for nothing that callers want. */
async function stayingOf({ id, counts }: Pick<NodePoolRecord, 'id' | 'counts'>, members: Members): Promise<NodePoolRecord['counts']> {
  if (counts.failed === 0) return counts
  const leaving = (await members.of(id)).filter(({ facts, said }) => facts.deletion !== undefined && said.status.phase === 'Failed').length
  return leaving === 0 ? counts : { ...counts, failed: counts.failed - leaving, deleting: counts.deleting + leaving }
}

/** One that went off so that there is room, and still has the pods that could not be evicted, is no room yet: it is as one that is not off. */
async function emptyOf({ id, counts, facts }: Pick<NodePoolRecord, 'id' | 'counts' | 'facts'>, room: RoomSeen | undefined, members: Members): Promise<NodePoolRecord['counts']> {
  if (!room || facts.makesRoom === undefined || counts.stopped === 0) return counts
  const carrying = new Set([...room.busy, ...room.light.map(({ name }) => name)])
  const full = (await members.of(id)).filter(({ said, spec }) => said.status.phase === 'Stopped' && carrying.has(spec.name)).length
  return { ...counts, stopped: counts.stopped - full, stopping: counts.stopping + full }
}

function isNothing({ start, claim, surplus, drop, givesWay, leavesIt }: ScalingPlan, { refused }: NodePoolFacts, { now, toldAt, isPaid }: { readonly now: number; readonly toldAt: number | undefined; readonly isPaid: boolean }): boolean {
  if (start + surplus + drop + givesWay.length > 0) return false
  if (!refused) return claim === 0
  if (leavesIt) return refused.waits === 0 && refused.claim === undefined
  // A claim that is being tried wakes the pool when it is answered; only then is there something to look at. The ledger tells how many wait.
  return claim > 0 && claim === refused.waits && refused.claim === undefined && isPutOff(refused, now, toldAt) && !isPaid
}

function withPlan(facts: NodePoolFacts, { autoscaler, idle, gaveWay, offers, held, untaken, makesRoom, awaits, kept }: ScalingPlan): NodePoolFacts {
  return withFacts(facts, { autoscaler, idle, gaveWay, offers, held, untaken, makesRoom, awaits, kept, openClaims: 0 })
}

/** Undefined where nobody can tell; then nothing is concluded. */
async function lookForRoom(cluster: ClusterRecord, ports: NodePoolPorts): Promise<RoomSeen | undefined> {
  const { tenant } = ports.regionOf(cluster.region)
  const address = tenant.room && await ports.tenantAddressOf(cluster)
  if (!address) return undefined
  try {
    return await tenant.room?.(address)
  } catch (error) {
    if (error instanceof TenantClusterUnreachable) return undefined
    throw error
  }
}

function evidenceOf({ spec, counts }: NodePoolRecord, { target, autoscaler, givesWay }: ScalingPlan, saw: { readonly source: string; readonly fact: string }, room: RoomSeen | undefined, now: number): Evidence[] {
  const sized = { observer: 'node pool controller', source: `size of ${spec.name}`, observedAt: now, fact: `It has ${activeOf(counts)} ${activeOf(counts) === 1 ? 'member that is' : 'members that are'} not off, and is to have ${target}${autoscaler ? `: ${autoscaler.because}` : ', as its callers want'}.` }
  const pods = room && room.waiting.length > 0
    ? [{ observer: 'node pool controller', source: 'pods of its cluster', observedAt: now, fact: `${room.waiting.length} ${room.waiting.length === 1 ? 'finds' : 'find'} no place on the nodes that there are.`, raw: JSON.stringify({ waiting: room.waiting.slice(0, 10), perNode: room.perNode }) }]
    : []
  const leaves = givesWay.length === 0 ? [] : [{ observer: 'node pool controller', source: `places of ${spec.name}`, observedAt: now, fact: 'It may have no more, so a member that is lost, or that is cordoned and carries nothing, leaves for a machine that takes what waits.' }]
  return [{ observer: 'node pool controller', source: saw.source, observedAt: now, fact: saw.fact }, sized, ...leaves, ...pods]
}

function soonest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? one ?? other : Math.min(one, other)
}
