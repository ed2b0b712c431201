import type { NodeRecord } from '#model/node/record.ts'
import type { Because, Transaction } from '#ports/store.ts'
import type { ActionContext } from './action.ts'

/** Marks locked nodes as being deleted and enqueues them; what an earlier deletion already did stays done. */
export async function deleteNodes(context: ActionContext, tx: Transaction, nodes: readonly NodeRecord[], by: 'call' | 'pool' | 'cluster', because: Because): Promise<void> {
  for (const node of nodes) {
    const deletion = { requestedAt: context.now, by, done: node.facts.deletion?.done ?? [] }
    await tx.changeNode(node.id, { facts: { ...node.facts, deletion, obstacles: [] } }, because)
    await tx.enqueue({ kind: 'node', id: node.id, region: context.scope.region })
  }
}
