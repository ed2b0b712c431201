import { goesInDeletion, leavesWhatIsHeld, OUTSIDE_NAMES, retainedBecause, wantedOutside, type ClusterOutsideKind } from '#model/cluster/outside.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import { withFacts } from '#model/with-facts.ts'
import { notRemoved } from '#ports/not-removed.ts'
import { isOfOurStore } from '#ports/of-our-store.ts'
import { OutsideRefused, type OutsideSeen } from '#ports/outside.ts'
import type { LedgerEntry, LedgerState, Transaction } from '#ports/store.ts'
import { lookedAt } from './could-not-look.ts'
import { hostEvidence } from './evidence.ts'
import { putEntry } from './ledger.ts'
import type { ClusterPorts } from './ports.ts'
import { wakeAddons } from './wake-addons.ts'

/** One thing that the cluster has, or shall have, outside; `seen` undefined: it is not there. */
export interface ClusterOutside {
  readonly kind: ClusterOutsideKind
  readonly seen: OutsideSeen | undefined
}

/** Looked at while a cluster is made and while it goes; none where the region makes no such things. */
export async function lookOutside(record: ClusterRecord, ports: ClusterPorts): Promise<readonly ClusterOutside[]> {
  const { outside } = ports.regionOf(record.region)
  const { facts } = record
  if (!outside || (facts.firstReadyAt !== undefined && !facts.deletion)) return []
  const looks = await Promise.all(wantedOutside(record.spec).map(async kind => ({ kind, seen: await lookedAt(`The ${OUTSIDE_NAMES[kind]} ${nameOf(record, kind)}`, outside.look(tokenOf(record, kind))) })))
  if (!facts.deletion || !leavesWhatIsHeld(facts.deletion) || looks.every(({ seen }) => seen === undefined)) return looks
  // What a provider refused to remove it need not show as protected; that it was left is in the ledger.
  const { items } = await ports.store.listLedger(record, { clusterIds: [record.id], kinds: wantedOutside(record.spec), states: ['Retained'] }, { number: 1, size: 100 })
  return looks.map(({ kind, seen }) => ({ kind, seen: seen && items.some(entry => entry.kind === kind) ? { ...seen, deleteProtected: true } : seen }))
}

/** Derived from the record, so that an order after a crash gives the same thing. */
function tokenOf({ id }: Pick<ClusterRecord, 'id'>, kind: ClusterOutsideKind): string {
  return `${id}/${kind}`
}

/** As it was ordered. */
function nameOf({ spec }: Pick<ClusterRecord, 'spec'>, kind: ClusterOutsideKind): string {
  return `${spec.name}-${kind}`
}

/** The intents stand in the ledger since `prepare`. A refusal ends the creation, as what was refused. */
export async function ensureOutside(record: ClusterRecord, ports: ClusterPorts): Promise<void> {
  const { outside, clock } = ports.regionOf(record.region)
  if (!outside) return
  const { id, accountId, spec } = record
  let asked: ClusterOutsideKind | undefined
  try {
    for (const kind of wantedOutside(spec)) {
      asked = kind
      const { providerId } = await outside.ensure({ token: tokenOf(record, kind), kind, accountId, clusterId: id, name: nameOf(record, kind) })
      await ports.store.write(clock.now(), async tx => {
        const cluster = await tx.lockCluster(id)
        if (cluster) await putEntry(tx, cluster, kind, 'Held', clock.now(), ports.newLedgerId, { providerId })
      })
    }
  } catch (error) {
    if (!(error instanceof OutsideRefused)) throw new Error(`Making what cluster ${id} needs outside`, { cause: error })
    await ports.store.write(clock.now(), async tx => {
      const cluster = await tx.lockCluster(id)
      if (!cluster || cluster.facts.firstReadyAt !== undefined) return
      const facts = withFacts(cluster.facts, { creationEnded: { as: error.as, because: error.message } })
      await tx.changeCluster(id, { revision: cluster.revision, facts }, { evidence: [{ ...hostEvidence(error.message, clock.now()), source: asked === undefined ? 'outside' : `${OUTSIDE_NAMES[asked]} of ${spec.name}` }] })
      await wakeAddons(tx, cluster)
    })
  }
}

/** One thing that was asked to go and did not: its provider's error, and what is said of it. */
export interface NotGone {
  readonly error: unknown
  readonly says: readonly string[]
}

/** Of what its provider says is done. What is seen all the same stays in the ledger: it would be nobody's from then on. */
export function stillSeen(thing: string, what = ''): NotGone {
  const says = `${thing} is still seen, though ensureGone says that it is gone${what}`
  return { error: new Error(says), says: [says] }
}

/** Removes what was asked to go, each on its own, looks, and answers what could not be removed; with TryBest what is held is retained instead. */
export async function ensureOutsideGone(record: ClusterRecord, ports: ClusterPorts): Promise<readonly NotGone[]> {
  const { outside, clock } = ports.regionOf(record.region)
  const { deletion } = record.facts
  const notGone: NotGone[] = []
  if (!outside || !deletion) return notGone
  for (const kind of wantedOutside(record.spec).filter(each => goesInDeletion(each, deletion))) {
    const { providerId } = await noteFate(kind, 'Releasing', ['Released', 'Retained']) ?? {}
    const thing = `The ${OUTSIDE_NAMES[kind]} ${nameOf(record, kind)}${providerId === undefined ? '' : ` (${providerId})`}`
    let call = 'ensureGone'
    try {
      await outside.ensureGone(tokenOf(record, kind))
      call = 'look'
      if (await outside.look(tokenOf(record, kind))) {
        await noteFate(kind, 'Releasing', ['Retained'])
        notGone.push(stillSeen(thing))
      } else await noteFate(kind, 'Released')
    } catch (error) {
      if (isOfOurStore(error)) throw error
      const says = notRemoved({ thing, call }, error)
      const isHeld = error instanceof Error && 'kind' in error && error.kind === 'OutsideHeld'
      if (isHeld && leavesWhatIsHeld(deletion)) await noteFate(kind, 'Retained', [], retainedBecause(`It was left at the deletion of its cluster (TryBest): ${says.join('; ')}`))
      else notGone.push({ error, says })
    }
  }
  return notGone

  /** But where it is one of `unless`. Answers how it was before. */
  async function noteFate(kind: ClusterOutsideKind, state: 'Releasing' | 'Released' | 'Retained', unless: readonly LedgerState[] = [], because?: string): Promise<LedgerEntry | undefined> {
    return await ports.store.write(clock.now(), async tx => {
      const cluster = await tx.lockCluster(record.id)
      const known = cluster && (await tx.ledgerOf(record.id)).find(entry => entry.kind === kind)
      if (cluster && known && !unless.includes(known.state)) await putEntry(tx, cluster, kind, state, clock.now(), ports.newLedgerId, { ...(because !== undefined && { because }) })
      return known
    })
  }
}

/**
 * At the end of a cluster: what is seen to be there still is kept in the ledger, with who kept it, whatever the entry said before. It may be one that an earlier call
 * asked to go in vain, or one that a crash left without word of it.
 */
export async function retainOutside(tx: Transaction, cluster: ClusterRecord, outside: readonly ClusterOutside[], at: number, newId: () => string): Promise<void> {
  for (const { kind, seen } of outside) {
    const entry = (await tx.ledgerOf(cluster.id)).find(each => each.kind === kind)
    if (!seen || entry?.state === 'Retained') continue
    const asked = cluster.facts.deletion && goesInDeletion(kind, cluster.facts.deletion)
    const because = asked ? `The ${OUTSIDE_NAMES[kind]} of ${cluster.spec.name} has deletion protection and was left (TryBest)` : `DeleteCluster did not ask for the ${OUTSIDE_NAMES[kind]} of ${cluster.spec.name} to go`
    await putEntry(tx, cluster, kind, 'Retained', at, newId, { providerId: seen.providerId, because: retainedBecause(because) })
  }
}
