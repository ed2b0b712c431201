import type { ClusterRecord } from '#model/cluster/record.ts'
import type { Transaction } from '#ports/store.ts'

/** Kubeconfigs wait for an API that can make or revoke them; they hear of it, and of one that is gone for good. Those that rest are left alone. */
export async function wakeKubeconfigs(tx: Transaction, { id, region }: Pick<ClusterRecord, 'id' | 'region'>): Promise<void> {
  for (const { id: kubeconfig, text, deletionRequestedAt } of await tx.lockKubeconfigs(id))
    if (text === undefined || deletionRequestedAt !== undefined) await tx.enqueue({ kind: 'kubeconfig', id: kubeconfig, region })
}
