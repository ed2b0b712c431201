import type { ClusterRecord } from '#model/cluster/record.ts'
import { isRefusal } from '#model/errors/catalogue.ts'
import { isMachineRemoved } from '#model/node/readiness.ts'
import { checkPrecondition, PRECONDITIONS, type GuardedAction } from '#model/preconditions.ts'
import { exitsOf as exitsOfStatus } from '#model/status/exits.ts'
import { statusText, type AnyStatus } from '#model/status/table.ts'
import type { Explained } from './explained.ts'

export interface Exit { readonly by: 'call' | 'cause'; readonly what: string }

/** The ways out of the status by the model's tables: causes as sentences, and calls by their action's name where their precondition allows them now, parents included. */
export function exitsOf(explained: Explained, now: number): readonly Exit[] {
  const { resource: { kind }, status, records } = explained
  const exits = exitsOfStatus(kind, status as AnyStatus)
  // A machine that its provider has no more comes back by nothing: what is left are calls.
  const isLost = kind === 'Node' && status.phase === 'Failed' && records.nodes?.some(node => isMachineRemoved(node.facts)) === true
  const causes = isLost ? [] : exits.filter(exit => exit.By === 'cause').map(exit => sentenceOf(exit.What))
  const isCentral = records.nodePool?.spec.type === 'machine-set'
  const actions = new Set(exits.filter(exit => exit.By === 'call').map(exit => nameOf(exit.What, isCentral)).filter(isGuarded))
  const calls = [...actions].filter(action => isAccepted(() => checkPrecondition(action, records, now)))
  const ways = [...causes.map(what => ({ by: 'cause' as const, what })), ...calls.map(what => ({ by: 'call' as const, what }))]
  return ways.length > 0 || !records.cluster ? ways : withCluster(records.cluster, now)
}

/** What nothing but calls leads out of waits for its cluster where that one is in a state in which they are refused, or goes with it. */
function withCluster(cluster: ClusterRecord, now: number): readonly Exit[] {
  const goesWithIt = isAccepted(() => checkPrecondition('DeleteCluster', { cluster }, now))
  return [{ by: 'cause', what: `Its cluster is ${statusText(cluster.said.status)} no longer, and calls are accepted again.` }, ...goesWithIt ? [{ by: 'call' as const, what: 'DeleteCluster' }] : []]
}

/** The tables name the calls of the edge; central pools and their nodes have calls of their own for the same. */
const OF_CENTRAL_POOLS: Readonly<Record<string, string>> = { UpdateEdgeNodePoolConfig: 'UpdateNodePoolConfig', ScaleUpEdgeNodePool: 'UpdateNodePoolConfig', DeleteEdgeNodes: 'DeleteNodes' }

function nameOf(what: string, isCentral: boolean): string | undefined {
  const [action = ''] = what.split(' ')
  return isCentral ? OF_CENTRAL_POOLS[action] ?? action : action
}

function sentenceOf(phrase: string): string {
  return `${phrase.charAt(0).toUpperCase()}${phrase.slice(1)}.`
}

function isGuarded(action: string | undefined): action is GuardedAction {
  return action !== undefined && action in PRECONDITIONS
}

function isAccepted(check: () => void): boolean {
  try {
    check()
    return true
  } catch (error) {
    if (isRefusal(error)) return false
    throw error
  }
}
