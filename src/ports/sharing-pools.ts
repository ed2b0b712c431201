import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { Transaction } from './store.ts'

/** Pools of a cluster that scale by themselves share what its pods need, so each of them looks where one of them takes more or less of that than before. */
export async function wakeSharers(tx: Pick<Transaction, 'nodePoolsOf' | 'enqueue'>, { id, clusterId, region }: Pick<NodePoolRecord, 'id' | 'clusterId' | 'region'>): Promise<void> {
  for (const pool of await tx.nodePoolsOf(clusterId)) if (pool.id !== id && pool.spec.scaling?.enabled) await tx.enqueue({ kind: 'node-pool', id: pool.id, region })
}
