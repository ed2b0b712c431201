import { goesInDeletion, leavesWhatIsHeld, OUTSIDE_NAMES, retainedBecause, wantedOutside, type ClusterOutsideKind } from '#model/cluster/outside.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import { withFacts } from '#model/with-facts.ts'
import { notRemoved } from '#ports/not-removed.ts'
import { isOfOurStore } from '#ports/of-our-store.ts'
import { OutsideRefused, type OutsideSeen } from '#ports/outside.ts'
import type { LedgerEntry, Transaction } from '#ports/store.ts'
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

/** Removes what was asked to go, each on its own, and answers what could not be, and whether something went that had not gone before; with TryBest what is held is retained instead. */
export async function ensureOutsideGone(record: ClusterRecord, ports: ClusterPorts): Promise<{ readonly notGone: readonly NotGone[]; readonly goesNow: boolean }> {
  const { outside, clock } = ports.regionOf(record.region)
  const { deletion } = record.facts
  const notGone: NotGone[] = []
  let goesNow = false
  if (!outside || !deletion) return { notGone, goesNow }
  for (const kind of wantedOutside(record.spec).filter(each => goesInDeletion(each, deletion))) {
    const { providerId, state } = await noteFate(record, kind, 'Releasing', undefined, ports) ?? {}
    try {
      await outside.ensureGone(tokenOf(record, kind))
      await noteFate(record, kind, 'Released', undefined, ports)
      goesNow ||= state !== undefined && state !== 'Released'
    } catch (error) {
      if (isOfOurStore(error)) throw error
      const thing = `The ${OUTSIDE_NAMES[kind]} ${nameOf(record, kind)}${providerId === undefined ? '' : ` (${providerId})`}`
      const says = notRemoved({ thing, call: 'ensureGone' }, error)
      const isHeld = error instanceof Error && 'kind' in error && error.kind === 'OutsideHeld'
      if (isHeld && leavesWhatIsHeld(deletion)) await noteFate(record, kind, 'Retained', retainedBecause(`It was left at the deletion of its cluster (TryBest): ${says.join('; ')}`), ports)
      else notGone.push({ error, says })
    }
  }
  return { notGone, goesNow }

  /** Answers how it was before. */
  async function noteFate(of: ClusterRecord, kind: ClusterOutsideKind, state: 'Releasing' | 'Released' | 'Retained', because: string | undefined, { store, newLedgerId }: ClusterPorts): Promise<LedgerEntry | undefined> {
    return await store.write(clock.now(), async tx => {
      const cluster = await tx.lockCluster(of.id)
      const known = cluster && (await tx.ledgerOf(of.id)).find(entry => entry.kind === kind)
      if (cluster && known && !(known.state === 'Retained' && state === 'Releasing')) await putEntry(tx, cluster, kind, state, clock.now(), newLedgerId, { ...(because !== undefined && { because }) })
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
