import type { ClusterRecord } from '#model/cluster/record.ts'
import type { LedgerEntry, LedgerKind, LedgerState, Transaction } from '#ports/store.ts'
import { isGone } from './evidence.ts'
import type { ClusterSeen } from './seen.ts'

/** The outside things that a local control plane is made of. */
export const CLUSTER_LEDGER_KINDS = ['Address', 'Network', 'ControlPlane'] as const satisfies readonly LedgerKind[]

/** Puts the cluster's entry of a kind into a state, making it with a new id where there is none. An entry that is so already is not written. */
export async function putEntry(tx: Transaction, cluster: ClusterRecord, kind: LedgerKind, state: LedgerState, at: number, newId: () => string, more: { providerId?: string; because?: string } = {}): Promise<void> {
  const known = (await tx.ledgerOf(cluster.id)).find(entry => entry.kind === kind)
  if (known?.state === state && known.because === more.because) return
  const entry: LedgerEntry = {
    ...(known ?? {
      id: newId(), accountId: cluster.accountId, region: cluster.region, kind, clusterId: cluster.id, deleteProtected: false,
      owner: { kind: 'Cluster', id: cluster.id, name: cluster.spec.name },
    }),
    ...more, state, since: at,
  }
  await tx.putLedger(entry)
}

/** What was intended and is seen to be there is held; a crash may have come between making it and saying so. What is not seen was never made, or is on its way. */
export async function holdWhatWasMade(tx: Transaction, cluster: ClusterRecord, { now, host, outside }: Pick<ClusterSeen, 'now' | 'host' | 'outside'>): Promise<void> {
  for (const entry of await tx.ledgerOf(cluster.id)) {
    if (entry.state !== 'Intended') continue
    const made = outside.find(one => one.kind === entry.kind)?.seen
    if (made) await tx.putLedger({ ...entry, providerId: made.providerId, state: 'Held', since: now })
    else if (host.network && (entry.kind === 'Network' || entry.kind === 'ControlPlane')) await tx.putLedger({ ...entry, state: 'Held', since: now })
  }
}

/** What was on its way out and is seen to be gone is released; a crash may have come between removing it and saying so. */
export async function releaseWhatIsGone(tx: Transaction, cluster: ClusterRecord, { now, host, outside }: Pick<ClusterSeen, 'now' | 'host' | 'outside'>): Promise<void> {
  for (const entry of await tx.ledgerOf(cluster.id)) {
    if (entry.state !== 'Releasing') continue
    const isOfHost = entry.kind === 'Network' || entry.kind === 'ControlPlane'
    if (isOfHost ? isGone(host) : outside.some(one => one.kind === entry.kind && one.seen === undefined)) await tx.putLedger({ ...entry, state: 'Released', since: now })
  }
}
