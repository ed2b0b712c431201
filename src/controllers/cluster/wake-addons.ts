import type { ClusterRecord } from '#model/cluster/record.ts'
import type { Transaction } from '#ports/store.ts'

/** Add-ons wait for a cluster that can be worked in; they hear of it, and of one that never will be. */
export async function wakeAddons(tx: Transaction, { id, region }: Pick<ClusterRecord, 'id' | 'region'>): Promise<void> {
  for (const addon of await tx.addonsOf(id)) await tx.enqueue({ kind: 'addon', id: addon.id, region })
}
