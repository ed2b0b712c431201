import type { Store } from '#ports/store.ts'

/**
 * A login went with the process that took its call, and tells nobody. Where a clock runs its node looks for it soon; where it stands still nobody would come to that before the next step, so whoever opens
 * the region lets each look now.
 */
export async function wakeLogins(region: string, now: number, store: Store): Promise<void> {
  const clusters = (await store.clustersOfRegion(region)).filter(({ counts }) => counts.creating > 0)
  const begun = (await Promise.all(clusters.map(({ id }) => store.nodesOf({ clusterId: id })))).flat().filter(({ facts }) => facts.login !== undefined)
  if (begun.length === 0) return
  await store.write(now, async tx => { for (const { id } of begun) await tx.enqueue({ kind: 'node', id, region }) })
}
