import type { Labels } from '#model/node-pool/fits.ts'
import type { Marks, NearTerms } from '#model/node-pool/neighbours.ts'
import type { RoomSeen } from '#ports/tenant-cluster.ts'

/**
 * The room with those labels of pods alone that some selector in it asks for. A StatefulSet and an indexed Job give each of their pods a label of its own: to all who look they are alike, and what holds for one of them need not be
 * reckoned for the next.
 */
export function withAskedLabels(room: RoomSeen): RoomSeen {
  const { waiting, light, free, daemons } = room, asked = new Set<string>()
  const note = ({ affinity = [], antiAffinity = [], spread = [] }: NearTerms) => {
    for (const { labelSelector: { matchLabels = {}, matchExpressions = [] } = {} } of [...affinity, ...antiAffinity, ...spread]) for (const key of [...Object.keys(matchLabels), ...matchExpressions.map(one => one.key)]) asked.add(key)
  }
  for (const pods of [waiting, daemons ?? [], ...light.map(one => one.pods), ...free.map(({ carries = [] }) => carries)]) pods.forEach(note)
  const keys = [...asked].toSorted()
  return {
    ...room, waiting: waiting.map(pod => less(pod, keys)), light: light.map(({ name, pods }) => ({ name, pods: pods.map(pod => less(pod, keys)) })),
    free: free.map(one => (one.carries ? { ...one, carries: one.carries.map(marks => less(marks, keys)) } : one)), ...daemons && { daemons: daemons.map(pod => less(pod, keys)) },
  }
}

/** In the order of the keys, so that those alike are so to the letter. */
function less<Pod extends Marks>(pod: Pod, keys: readonly string[]): Pod {
  if (!pod.labels) return pod
  const { labels, ...rest } = pod, kept: Labels = Object.fromEntries(keys.flatMap(key => (labels[key] === undefined ? [] : [[key, labels[key]]])))
  return (Object.keys(kept).length > 0 ? { ...rest, labels: kept } : rest) as Pod
}
