import { isDeepStrictEqual } from 'node:util'
import type { ClusterFacts, ClusterRecord } from '#model/cluster/record.ts'
import { CLUSTER_RULES, nextInstantOfCluster } from '#model/cluster/rules.ts'
import { clusterSight } from '#model/cluster/sight.ts'
import { verdict } from '#model/status/rules.ts'
import { withFacts } from '#model/with-facts.ts'
import type { Controller } from '#ports/controller.ts'
import { isOfOurStore } from '#ports/of-our-store.ts'
import type { LedgerState } from '#ports/store.ts'
import { act } from './act.ts'
import { CouldNotLook } from './could-not-look.ts'
import { decideBlind } from './decide-blind.ts'
import { decideCluster, type ClusterDecision } from './decide.ts'
import { holdWhatWasMade, releaseWhatIsGone } from './ledger.ts'
import { observeCluster } from './observe.ts'
import type { ClusterPorts } from './ports.ts'
import type { ClusterSeen } from './seen.ts'
import { wakeAddons } from './wake-addons.ts'
import { wakeKubeconfigs } from './wake-kubeconfigs.ts'

type Course = 'creation' | 'deletion'

/** Brings clusters up, keeps them up, and takes them down; one pass observes, writes facts, and takes at most one step. */
export function clusterController(ports: ClusterPorts): Controller {
  const blindSince = new Map<string, number>(), lookedThrough = new Map<string, Course>()
  return {
    kind: 'cluster',
    async reconcile(id) {
      const record = await ports.store.findCluster(id)
      // A creation that ended gets no more work, however often a component of it still ends and wakes us.
      if (!record || (record.facts.creationEnded && !record.facts.deletion)) {
        lookedThrough.delete(id)
        if (record) await holdWhatIsLeft(record, ports)
        return {}
      }
      const seen = await lookAt(record, ports, blindSince)
      await sayWhatEarlierOnesDid(record, seen, ports, lookedThrough)
      const lookAgainAt = await pass(record, seen, ports)
      if (lookAgainAt === undefined) lookedThrough.delete(id)
      return { lookAgainAt }
    },
  }
}

async function pass(record: ClusterRecord, seen: ClusterSeen, ports: ClusterPorts): Promise<number | undefined> {
  const decision = decideCluster(seen)
  ports.onDecision?.({ by: 'decideCluster', about: record.id, seen, decided: decision })
  await write(record, seen, decision, ports)
  const instant = nextInstantOfCluster(clusterSight(decision, [], seen.now))
  if (!decision.step) return soonest(decision.lookAgainAt, instant)
  const { retryAt } = await act(decision.step, { ...record, facts: decision.facts }, ports)
  ports.onChanged?.(record.id)
  return decision.step === 'finishDeletion' ? undefined : soonest(retryAt ?? decision.lookAgainAt, instant)
}

/** Writes facts that differ; and lets the rules look again where time alone has changed what they say. A pass with nothing new writes nothing. */
async function write(record: ClusterRecord, seen: ClusterSeen, { facts, evidence }: ClusterDecision, ports: ClusterPorts): Promise<void> {
  const changes = !isDeepStrictEqual(facts, record.facts)
  if (!changes && !(await saysSomethingElse(record, seen.now, ports))) return
  const turns = record.facts.firstReadyAt !== undefined && (record.facts.controlPlane === 'usable') !== (facts.controlPlane === 'usable')
  await ports.store.write(seen.now, async tx => {
    const locked = await tx.lockCluster(record.id)
    if (!locked) return
    await tx.changeCluster(record.id, { revision: record.revision, facts }, { evidence, ...(facts.updating && { operation: facts.updating.action }) })
    const ends = creationIsOver(facts) && !creationIsOver(record.facts)
    if (ends) await holdWhatWasMade(tx, locked, seen)
    // A debt that is paid before the control plane was switched off ends a wait, though its API never went.
    const runsOn = record.facts.startingSince !== undefined && facts.startingSince === undefined
    const went = facts.deletion?.controlPlaneGone === true && record.facts.deletion?.controlPlaneGone !== true
    if (went) await releaseWhatIsGone(tx, locked, seen)
    if (turns || ends || runsOn || went) await wakeAddons(tx, record)
    if (turns || went) await wakeKubeconfigs(tx, record)
    if (!turns) return
    // The initialisation time of its joining nodes stands still or goes on from here, and a pool that waits for it is admitted.
    for (const pool of await tx.nodePoolsOf(record.id)) await tx.enqueue({ kind: 'node-pool', id: pool.id, region: record.region })
    for (const node of await tx.nodesOf({ clusterId: record.id })) await tx.enqueue({ kind: 'node', id: node.id, region: record.region })
  })
  ports.onChanged?.(record.id)
}

function creationIsOver(facts: ClusterFacts): boolean {
  return facts.firstReadyAt !== undefined || facts.creationEnded !== undefined
}

/**
 * What a creation made costs until a deletion, also where it ended while nobody could look, or what it had begun came to be afterwards. As long as an intent stands, whatever wakes us has it looked for; a look that
 * fails is tried again.
 */
async function holdWhatIsLeft(record: ClusterRecord, ports: ClusterPorts): Promise<void> {
  if (!(await has(record, 'Intended', ports))) return
  const seen = await observeCluster(record, ports).catch((cause: unknown) => { throw new Error(`Looking for what is left of cluster ${record.id}`, { cause }) })
  await ports.store.write(seen.now, async tx => {
    const cluster = await tx.lockCluster(record.id)
    if (cluster) await holdWhatWasMade(tx, cluster, seen)
  })
}

async function has(record: ClusterRecord, state: LedgerState, { store }: ClusterPorts): Promise<boolean> {
  return (await store.listLedger(record, { clusterIds: [record.id], states: [state] }, { number: 1, size: 1 })).totalCount > 0
}

/** A creation or deletion is looked through once by each process that has to do with it: an earlier one may have ended between making or removing something and saying so. */
async function sayWhatEarlierOnesDid(record: ClusterRecord, seen: ClusterSeen, ports: ClusterPorts, lookedThrough: Map<string, Course>): Promise<void> {
  const { id, facts } = record
  const course: Course | undefined = facts.deletion ? 'deletion' : creationIsOver(facts) ? undefined : 'creation'
  if (course === undefined) return void lookedThrough.delete(id)
  if (lookedThrough.get(id) === course) return
  const mayHaveMade = course === 'deletion' || facts.attemptStartedAt !== undefined
  if (mayHaveMade && await has(record, course === 'creation' ? 'Intended' : 'Releasing', ports)) {
    await ports.store.write(seen.now, async tx => {
      const cluster = await tx.lockCluster(id)
      if (cluster) await (course === 'creation' ? holdWhatWasMade : releaseWhatIsGone)(tx, cluster, seen)
    })
  }
  lookedThrough.set(id, course)
}

async function saysSomethingElse(record: ClusterRecord, now: number, { store }: ClusterPorts): Promise<boolean> {
  const alone = verdict(CLUSTER_RULES, clusterSight(record, [], now))
  if (alone.rule === record.said.rule) return false
  const { rule } = verdict(CLUSTER_RULES, clusterSight(record, await store.nodePoolsOf(record.id), now))
  return rule !== record.said.rule
}

async function lookAt(record: ClusterRecord, ports: ClusterPorts, blindSince: Map<string, number>): Promise<ClusterSeen> {
  try {
    const seen = await observeCluster(record, ports)
    blindSince.delete(record.id)
    return seen
  } catch (error) {
    // A store that gives no answer says nothing about the host, and could write nothing down either.
    if (!isOfOurStore(error)) await noteBlindness(record, error, ports, blindSince)
    throw new Error(`Looking at cluster ${record.id}`, { cause: error })
  }
}

/** An earlier process may have lost sight of it before us; the record knows. */
async function noteBlindness(record: ClusterRecord, error: unknown, ports: ClusterPorts, blindSince: Map<string, number>): Promise<void> {
  const now = ports.regionOf(record.region).clock.now()
  const since = record.facts.staleSince ?? blindSince.get(record.id) ?? now
  blindSince.set(record.id, since)
  const what = error instanceof CouldNotLook ? error.what : `The cluster ${record.spec.name} (${record.id})`
  const looked = { now, facts: record.facts, since, what, why: error instanceof Error ? error.message : String(error) }
  const blind = decideBlind(looked)
  ports.onDecision?.({ by: 'decideBlind', about: record.id, seen: looked, decided: blind })
  if (!blind) return
  await ports.store.write(now, async tx => {
    if (!(await tx.lockCluster(record.id))) return
    await tx.changeCluster(record.id, { revision: record.revision, facts: withFacts(record.facts, blind.change) }, { evidence: blind.evidence })
    if (blind.change.creationEnded) await wakeAddons(tx, record)
  })
  ports.onChanged?.(record.id)
}

function soonest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? one ?? other : Math.min(one, other)
}
