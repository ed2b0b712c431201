import type { Pod } from './workload.ts'

/**
 * What a Deployment does with its pods at a look: new ones are made beside the old ones, one more than wanted at most, and an old one goes when a new one took
 * its place or when it was of no use. Answers the pods that stay, and how many are to be made.
 */
export function roll(pods: readonly Pod[], wanted: number, revision: number, isReady: (pod: Pod) => boolean): { readonly kept: Pod[]; readonly make: number } {
  const current = pods.filter(pod => pod.revision === revision)
  let old = pods.filter(pod => pod.revision !== revision)
  // Placed ones stay rather than those that wait, the older rather than the newer.
  const kept = current.length <= wanted ? current : current.toSorted((one, other) => Number(other.node !== undefined) - Number(one.node !== undefined) || one.madeAt - other.madeAt).slice(0, wanted)
  const ready = kept.filter(isReady).length
  old = old.filter(isReady).slice(0, Math.max(wanted - ready, 0))
  const make = Math.max(Math.min(wanted - kept.length, wanted + (old.length > 0 ? 1 : 0) - kept.length - old.length), 0)
  return { kept: [...kept, ...old], make }
}
