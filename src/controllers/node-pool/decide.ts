import type { ClusterRecord } from '#model/cluster/record.ts'
import { isAwaited, wishOf } from '#model/node-pool/node-config.ts'
import type { NodePoolFacts, NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import { DEADLINES } from '#model/status/deadlines.ts'
import { withFacts, type FactsChange } from '#model/with-facts.ts'
import type { MachineRecord } from '#ports/store.ts'

/** Everything that a pass over a node pool looked at; all of it is records. Times are the region's, in epoch ms. */
export interface NodePoolPassSeen {
  readonly now: number
  readonly record: Pick<NodePoolRecord, 'facts' | 'spec' | 'createdAt' | 'counts'>
  /** `undefined` where the cluster's record is gone. */
  readonly cluster: Pick<ClusterRecord, 'facts'> | undefined
  readonly nodes: readonly Pick<NodeRecord, 'id' | 'spec' | 'facts' | 'said'>[]
  /** Of those that it cannot take back, what is left. */
  readonly leftovers?: NodePoolFacts['leftovers']
  /** The machine of a claim that it tried; read only where that one has to go. */
  readonly claim?: Pick<MachineRecord, 'name' | 'obstacle'> | undefined
  /** When the region last told of something by which that one may go. */
  readonly toldAt?: number
}

export type NodePoolStep = 'deleteNodes' | 'dropClaim' | 'dropRefusal' | 'forget'

export interface NodePoolDecision {
  readonly facts: NodePoolFacts
  /** What was seen, as a sentence and where. */
  readonly saw: { readonly source: string; readonly fact: string }
  readonly step: NodePoolStep | undefined
  /** Nodes that have to look at the pool's new wish. */
  readonly wake: readonly string[]
  readonly lookAgainAt: number | undefined
}

const SECOND = 1_000, MINUTE = 60 * SECOND, DAY = 24 * 60 * MINUTE
/** status-rules.md, node pool 3. */
const CREATION_RETRIES_MS = 5 * MINUTE
const NAMED_AT_MOST = 10

/** One look at a node pool, decided; its Scaling follows from its nodes and is no business of this one. */
export function decideNodePool(seen: NodePoolPassSeen): NodePoolDecision {
  const { record: { facts }, cluster } = seen
  const { facts: { controlPlane } } = cluster ?? { facts: { controlPlane: 'absent' } }
  const api = { source: 'its cluster', fact: controlPlane === 'usable' ? 'The API of the cluster is usable, and its members can be admitted.' : controlPlane === 'absent' ? 'The control plane of the cluster is not there.' : `The control plane of the cluster is ${controlPlane}.` }
  const members = { source: `nodes of ${seen.record.spec.name}`, fact: nodesText(seen.record.counts.total, seen.nodes.map(nameOf)) }
  if (facts.deletion || !cluster) return { saw: members, ...decideDeletion(seen) }
  if (facts.creationEnded) return { saw: api, ...decision(facts, {}) }
  if (!facts.ready) return { saw: api, ...decideCreation(seen, cluster) }
  const next = withoutClaims(seen, decideUpdate(seen))
  if (controlPlane === 'usable') return { saw: members, ...next, facts: withFacts(next.facts, { leftovers: seen.leftovers, staleSince: undefined }) }
  // Its autoscaler does not look, so it begins anew when the API is back.
  return { saw: members, ...next, facts: withFacts(next.facts, { leftovers: seen.leftovers, staleSince: facts.staleSince ?? seen.now, blindSince: undefined, awaits: undefined, kept: undefined }) }
}

/** A pool that orders no machines by itself asks for a server that was refused no second time: who wants it says so again. Its refusal is shown until it could have been. */
function withoutClaims({ now, record: { facts: { refused }, spec } }: NodePoolPassSeen, next: Next): Next {
  if (!refused || spec.scaling) return next
  const over = refused.retryAt ?? now
  return over > now ? { ...next, lookAgainAt: Math.min(next.lookAgainAt ?? over, over) } : { ...next, step: next.step ?? 'dropRefusal' }
}

type Next = Omit<NodePoolDecision, 'saw'> & Partial<Pick<NodePoolDecision, 'saw'>>

/** Its nodes are counted on its record; by name they are known only where each of them was read. */
function nodesText(counted: number, names: readonly string[]): string {
  const total = Math.max(counted, names.length)
  if (total === 0) return 'It has no nodes.'
  const many = `It has ${total} ${total === 1 ? 'node' : 'nodes'}`
  return names.length === 0 ? `${many}.` : `${many}: ${names.slice(0, NAMED_AT_MOST).join(', ')}${names.length > NAMED_AT_MOST ? ' and others' : ''}.`
}

/** A pool is there as soon as the cluster admits members; that came with the cluster's base. */
function decideCreation({ now, record: { facts, createdAt } }: NodePoolPassSeen, cluster: Pick<ClusterRecord, 'facts'>): Next {
  const { controlPlane, unpaid, startingSince, controlPlaneSays } = cluster.facts
  if (controlPlane === 'usable') return decision(facts, { ready: true })
  const clusterRests = unpaid || startingSince !== undefined
  if (!clusterRests && now - createdAt >= CREATION_RETRIES_MS) {
    const because = `The cluster's API was not usable for ${CREATION_RETRIES_MS / MINUTE} min, so that members could not be admitted${controlPlaneSays === undefined ? '' : `: ${controlPlaneSays}`}`
    return decision(facts, { creationEnded: { because } })
  }
  const waited = now - createdAt
  // A cluster whose API comes back calls its pools; whatever does not come is looked at less and less.
  return decision(facts, {}, { lookAgainAt: clusterRests ? now + Math.min(Math.max(30 * SECOND, waited / 2), DAY) : Math.min(now + Math.max(SECOND, waited / 8), createdAt + CREATION_RETRIES_MS) })
}

/**
 * An update has ended when every Node object that can be reached carries the wish; nodes that are off are listed and get it when they are back, and so are, after
 * ten minutes, those that do not take it (a webhook of the cluster may refuse it): a pool that is Updating could not be deleted.
 */
function decideUpdate({ now, record: { facts, spec }, nodes }: NodePoolPassSeen): Next {
  const staying = nodes.filter(node => !node.facts.deletion && node.facts.ready !== undefined)
  const without = staying.filter(node => node.facts.outOfSync || isAwaited(node.facts, wishOf(spec, node.spec)))
  const names = without.map(nameOf).sort()
  if (!facts.updating) return decision(facts, { without: facts.without && names.length > 0 ? names : undefined })
  const isLate = now - facts.updating.since >= DEADLINES.nodePoolUpdate
  const heard = without.filter(isHeard).map(nameOf).sort()
  const waitsFor = isLate ? [] : heard
  const off = without.filter(node => !isHeard(node)).map(nameOf).sort()
  const source = `labels and taints on the nodes of ${spec.name}`
  if (waitsFor.length === 0) {
    const left = [
      ...heard.length > 0 ? [`${heard.join(', ')} did not take them in ${DEADLINES.nodePoolUpdate / MINUTE} min`] : [],
      ...off.length > 0 ? [`${off.join(', ')} cannot be reached`] : [],
    ]
    const fact = left.length === 0 ? 'Every node of it carries them.' : `Every other node of it carries them; ${left.join(', and ')}.`
    return decision(facts, { updating: undefined, without: names.length > 0 ? names : undefined }, { saw: { source, fact }, wake: without.map(node => node.id) })
  }
  return decision(facts, { updating: { ...facts.updating, waitsFor, off }, without: undefined }, { saw: { source, fact: `They are not yet on ${waitsFor.join(', ')}.` }, wake: without.map(node => node.id), lookAgainAt: now + 5 * SECOND })
}

function decideDeletion(seen: NodePoolPassSeen): Next {
  const { now, record: { facts }, nodes } = seen
  if (nodes.length === 0) return lastClaim(facts) === undefined ? decision(facts, {}, { step: 'forget' }) : decideLastClaim(seen)
  // Claims of it wait that nobody will ever answer.
  if (facts.refused) return decision(facts, {}, { step: 'dropRefusal', lookAgainAt: now })
  const claimed = lastClaim(facts) === undefined ? undefined : decideLastClaim(seen)
  const overdue = facts.deletion !== undefined && now - facts.deletion.requestedAt >= DEADLINES.nodePoolDeletion
  // Everything else goes first; then what is left is what stands in the way.
  const stuck = overdue || nodes.every(node => node.facts.obstacles.length > 0)
  const obstacles = stuck ? [...nodesLeft(nodes), ...claimed?.facts.obstacles ?? []] : []
  const joinedMeanwhile = nodes.some(node => !node.facts.deletion)
  // Its nodes call it when they change; a pool that is stuck for years is looked at less and less.
  const again = stuck ? Math.max(MINUTE, (now - (facts.deletion?.requestedAt ?? now)) / 2) : 5 * SECOND
  return decision(facts, { obstacles }, { step: joinedMeanwhile ? 'deleteNodes' : claimed?.step, lookAgainAt: Math.min(now + again, claimed?.lookAgainAt ?? Infinity) })
}

/** Those whose removal failed before those that are only slow. A pool has up to thousands of nodes, and each says for itself why it is still there. */
function nodesLeft(nodes: NodePoolPassSeen['nodes']): string[] {
  const named = nodes.toSorted((one, other) => Number(one.facts.obstacles.length === 0) - Number(other.facts.obstacles.length === 0)).slice(0, NAMED_AT_MOST), more = nodes.length - named.length
  const rest = more === 1 ? ['1 more node is still there, and its status says why'] : [`${more} more nodes are still there, and the status of each says why`]
  return [...named.map(node => `Node ${node.spec.name} is still there: ${node.said.because}`), ...more > 0 ? rest : []]
}

/** The record of a machine that it tried to have, and that has to go before it does. */
export function lastClaim({ refused, leftovers }: NodePoolFacts): string | undefined {
  return refused?.claim ?? leftovers?.[0]?.claim
}

/**
 * Machines that it tried to have go last. The answer to each asking wakes the pool, so one that cannot go, and which is asked to go again now and then anyway, is asked by the pool where somebody has asked for the deletion again: pool and
 * machine would wake each other for ever in one instant.
 */
function decideLastClaim({ now, record: { facts }, claim, leftovers = [], toldAt = -Infinity }: NodePoolPassSeen): Next {
  const { obstacle } = claim ?? {}
  if (!obstacle) return decision(facts, {}, { step: 'dropClaim', lookAgainAt: now + MINUTE })
  const requestedAt = facts.deletion?.requestedAt ?? 0, pause = obstacle.at <= toldAt ? MINUTE : Math.max(MINUTE, (obstacle.at - requestedAt) / 2)
  const isDue = obstacle.at < requestedAt || now - obstacle.at >= pause
  const others = leftovers.filter(one => one.claim !== lastClaim(facts)).map(({ because }) => because)
  return decision(facts, { obstacles: [obstacle.because, ...others].map(because => `A machine that it tried to have is still there: ${because}`) }, isDue ? { step: 'dropClaim', lookAgainAt: now + MINUTE } : { lookAgainAt: obstacle.at + pause })
}

function decision(facts: NodePoolFacts, change: FactsChange<NodePoolFacts>, more: Partial<Omit<NodePoolDecision, 'facts'>> = {}): Next {
  return { facts: withFacts(facts, change), step: undefined, wake: [], lookAgainAt: undefined, ...more }
}

function isHeard({ facts }: Pick<NodeRecord, 'facts'>): boolean {
  return facts.ready?.status === 'True' && facts.power?.state !== 'off'
}

function nameOf(node: Pick<NodeRecord, 'spec'>): string {
  return node.spec.name
}
