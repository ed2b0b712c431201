import type { ClaimedWork } from '#ports/queue.ts'

/** So many keys share their looks and writes. */
const MOST_AT_ONCE = 100

/**
 * Shares out keys that are due, in the order in which they were claimed: each batch is of one kind. For one hand the order stays, so that a batch is of keys that
 * follow one another; for several hands what is due together has none, and keys come together of those kinds that share looks and writes (`sharesPasses`), while each other key is a hand's own.
 */
export function batchesOf(claimed: readonly ClaimedWork[], hands: number, sharesPasses: (kind: string) => boolean): readonly (readonly ClaimedWork[])[] {
  const runs = hands === 1 ? inOrder(claimed) : [...Map.groupBy(claimed, ({ kind }) => kind).values()]
  return runs.flatMap(run => {
    const size = hands === 1 || sharesPasses(run[0]?.kind ?? '') ? MOST_AT_ONCE : 1
    return Array.from({ length: Math.ceil(run.length / size) }, (_, index) => run.slice(index * size, (index + 1) * size))
  })
}

function inOrder(claimed: readonly ClaimedWork[]): readonly (readonly ClaimedWork[])[] {
  const runs: ClaimedWork[][] = []
  for (const work of claimed) {
    const last = runs.at(-1)
    if (last?.[0]?.kind === work.kind) last.push(work)
    else runs.push([work])
  }
  return runs
}
