import type { NodeFacts } from './record.ts'

/** What is done of a node's leaving, in the words that its status shows. */
export const LEFT = {
  members: 'taken off the members',
  cordoned: 'cordoned',
  evicted: 'pods evicted',
  object: 'Node object deleted',
} as const

/** What of it is still there and the call that has not ended, as a clause; undefined where only its record is left. */
export function stillThere({ deletion }: Pick<NodeFacts, 'deletion'>): string | undefined {
  if (deletion?.machineAsked) return 'its machine is still there, and ensureGone of the machine has not ended'
  // It goes with its cluster, in which nothing is taken off one by one.
  if (!deletion || deletion.by === 'cluster') return undefined
  if (!deletion.done.includes(LEFT.members)) return 'it is still among the members of its cluster, and ensureMembers has not ended'
  return deletion.done.includes(LEFT.object) ? undefined : 'its Node object is still there, and ensureNodeGone has not ended'
}
