import { decideAccount } from '#model/account/arrears.ts'
import { balanceEvidence } from '#model/account/evidence.ts'
import type { AccountRecord } from '#model/account/record.ts'
import type { ClusterFacts, ClusterRecord } from '#model/cluster/record.ts'
import { creationEnd } from '#model/cluster/rules.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import { withFacts, type FactsChange } from '#model/with-facts.ts'
import type { Clock } from '#ports/clock.ts'
import type { Controller } from '#ports/controller.ts'
import type { DecisionPorts } from '#ports/decisions.ts'
import { refusedPools } from '#ports/refused-pools.ts'
import type { Scope, Store, Transaction } from '#ports/store.ts'

export interface AccountPorts extends DecisionPorts {
  readonly store: Store
  regionOf(region: string): {
    readonly clock: Clock
    /** From the end of the balance to the end of work, ms. */
    readonly graceMs: number
  }
}

/** Clusters are told in groups, so that no transaction holds a whole fleet. */
const CLUSTERS_AT_ONCE = 50

/** Solves when an account's balance is gone, and tells its clusters when work stops for it and when it goes on. */
export function accountController(ports: AccountPorts): Controller {
  return {
    kind: 'account',
    async reconcile(id) {
      const scope = scopeOf(id)
      const { clock, graceMs } = ports.regionOf(scope.region)
      const now = clock.now()
      const before = await ports.store.findAccount(scope)
      // Machines that were refused for arrears may be had when they are paid.
      const waiting = before.arrearsSince === undefined ? [] : await unpaidPools(scope, ports)
      const { account, lookAgainAt } = await ports.store.write(now, async tx => {
        const [locked, meter] = [await tx.lockAccount(scope), await tx.meterOf(scope)]
        const seen = { now, account: locked, meter, graceMs }
        const decision = decideAccount(seen)
        ports.onDecision?.({ by: 'decideAccount', about: id, seen, decided: decision })
        if (!isSame(decision.account, locked)) await tx.putAccount(decision.account)
        if (decision.account.arrearsSince === undefined) for (const pool of waiting) await wakePool(tx, pool)
        return decision
      })
      // A pool that said so since it was looked for saw the account in arrears still.
      const late = before.arrearsSince === undefined || account.arrearsSince !== undefined ? [] : (await unpaidPools(scope, ports)).filter(({ id: pool }) => waiting.every(known => known.id !== pool))
      if (late.length > 0) await ports.store.write(now, async tx => { for (const pool of late) await wakePool(tx, pool) })
      await tellClusters(account, now, graceMs, ports)
      return { lookAgainAt }
    },
  }
}

/** And the claim that it tries, of which the answer may be long in coming. */
async function wakePool(tx: Transaction, { id, region, facts: { refused } }: NodePoolRecord): Promise<void> {
  await tx.enqueue({ kind: 'node-pool', id, region })
  if (refused?.claim !== undefined) await tx.enqueue({ kind: 'machine', id: refused.claim, region })
}

async function unpaidPools(scope: Scope, { store }: AccountPorts): Promise<readonly NodePoolRecord[]> {
  return (await refusedPools(store, scope)).filter(({ facts }) => facts.refused?.as === 'Balance')
}

export function accountKey({ accountId, region }: Scope): { kind: 'account'; id: string; region: string } {
  return { kind: 'account', id: `${accountId}/${region}`, region }
}

function scopeOf(id: string): Scope {
  const at = id.indexOf('/')
  return { accountId: id.slice(0, at), region: id.slice(at + 1) }
}

/** What each cluster remembers of the account: that work on it stopped, or since when it goes on. Safe to do again after a crash half way. */
async function tellClusters(account: AccountRecord, now: number, graceMs: number, { store }: AccountPorts): Promise<void> {
  const unpaid = account.stoppedSince !== undefined
  const clusters = (await store.clustersOfRegion(account.region)).filter(cluster => cluster.accountId === account.accountId && cluster.facts.unpaid !== unpaid)
  for (let first = 0; first < clusters.length; first += CLUSTERS_AT_ONCE) {
    const some = clusters.slice(first, first + CLUSTERS_AT_ONCE)
    await store.write(now, async tx => {
      const evidence = balanceEvidence(account, await tx.meterOf(account), { now, graceMs })
      // Together, in the order in which everybody locks them.
      await tx.lockTrees(some.map(({ id }) => ({ kind: 'cluster', id })))
      for (const { id } of some) {
        const cluster = await tx.lockCluster(id)
        if (!cluster || cluster.facts.unpaid === unpaid) continue
        await tx.changeCluster(id, { facts: withFacts(cluster.facts, { ...factsOf(cluster, unpaid, now), arrears: unpaid ? evidence : undefined }) }, { evidence: [evidence] })
        await enqueueTree(tx, cluster)
      }
    })
  }
}

/** Only what was usable once has something to start again; what is being deleted is not started. A creation that the arrears ended stays ended, though nobody has come to write that down before they were paid. */
function factsOf({ facts }: ClusterRecord, unpaid: boolean, now: number): FactsChange<ClusterFacts> {
  const starts = !unpaid && facts.firstReadyAt !== undefined && !facts.deletion
  return { unpaid, ...(starts && { startingSince: now, startUnseen: undefined }), ...(!unpaid && { creationEnded: creationEnd({ now, facts, movingPools: [], stuckPools: [] }) }) }
}

async function enqueueTree(tx: Transaction, { id, region }: ClusterRecord): Promise<void> {
  await tx.enqueue({ kind: 'cluster', id, region })
  for (const pool of await tx.nodePoolsOf(id)) await tx.enqueue({ kind: 'node-pool', id: pool.id, region })
  for (const addon of await tx.addonsOf(id)) await tx.enqueue({ kind: 'addon', id: addon.id, region })
  for (const node of await tx.nodesOf({ clusterId: id })) await tx.enqueue({ kind: 'node', id: node.id, region })
}

function isSame(one: AccountRecord, other: AccountRecord): boolean {
  return one.arrearsSince === other.arrearsSince && one.stoppedSince === other.stoppedSince
}
