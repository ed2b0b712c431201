import { HOSTNAME, isChosen, isPutUpWith } from '#model/node-pool/fits.ts'
import { asksOfNeighbours, neighboursOf, type Ground, type InTheWay, type Marks } from '#model/node-pool/neighbours.ts'
import type { NodePoolFacts, NodePoolSpec } from '#model/node-pool/record.ts'
import type { Amounts, NodeRoom, PodNeed, RoomSeen } from '#ports/tenant-cluster.ts'

/** A pool as far as it goes what its next node is like. */
export interface Maker {
  readonly spec: Pick<NodePoolSpec, 'labels' | 'taints' | 'cordon'>
  readonly facts: Pick<NodePoolFacts, 'offers'>
}

interface Room { readonly cpuMillis: number; readonly memoryMiB: number; readonly pods: number; readonly more?: Amounts }

/** A node on which pods are put in thought. */
export interface Place extends Ground {
  cpuMillis: number
  memoryMiB: number
  pods: number
  more: Record<string, number>
  carries: Marks[]
  shut: boolean
  goes: boolean
  /** Nobody has seen such a node yet. It takes what is larger than this guess as well, so that one shows how large they are. */
  readonly guessed?: Room
}

export type Obstacle = InTheWay | 'cordon' | 'selector' | 'taints' | 'room'

/** Nodes and what is on them. Pods are put on them as the scheduler would. */
export class Places {
  readonly all: Place[]

  constructor(all: readonly Place[]) {
    this.all = [...all]
  }

  static of(free: readonly NodeRoom[]): Places {
    return new Places(free.map(({ carries = [], more = {}, shut = false, name, labels, taints, cpuMillis, memoryMiB, pods }) => ({ name, labels, taints, cpuMillis, memoryMiB, pods, shut, goes: false, more: { ...more }, carries: [...carries] })))
  }

  copy(): Places {
    return new Places(this.all.map(one => ({ ...one, more: { ...one.more }, carries: [...one.carries] })))
  }

  with(place: Place): Places {
    return new Places([...this.all, place])
  }

  /** What keeps the pod from each of the places, as they are now. */
  judge(pod: PodNeed): (place: Place) => Obstacle | undefined {
    const near = neighboursOf(pod, this.all)
    return place => {
      if (place.shut) return 'cordon'
      if (!isPutUpWith(place.taints, pod.tolerations)) return 'taints'
      if (!isChosen(place, pod)) return 'selector'
      return hasRoom(place, pod) ? near(place) : 'room'
    }
  }

  put(pod: PodNeed, place: Place): void {
    place.carries.push(pod)
    place.cpuMillis -= pod.cpuMillis
    place.memoryMiB -= pod.memoryMiB
    place.pods -= 1
    for (const [name, amount] of Object.entries(pod.more ?? {})) if (place.more[name] !== undefined) place.more[name] -= amount
  }

  /** Puts each on the first of those places that takes it, the largest one first, and answers those that none takes. What waits for others is tried again after them. */
  putEach(pods: readonly PodNeed[], among: readonly Place[] = this.all): readonly PodNeed[] {
    const left = this.#putOnce(pods.toSorted(largestFirst), among)
    return left.length > 0 && left.length < pods.length && left.some(({ affinity, spread }) => affinity ?? spread) ? this.putEach(left, among) : left
  }

  #putOnce(pods: readonly PodNeed[], among: readonly Place[]): readonly PodNeed[] {
    const left: PodNeed[] = []
    let shape = '', from = 0, isStale = false, judged: (place: Place) => Obstacle | undefined = () => undefined
    for (const pod of pods) {
      const own = shapeOf(pod)
      // What has no place for one has none for the next that is just like it; where neighbours matter to them, until one more is placed.
      if (own !== shape || isStale) [shape, from, judged] = [own, 0, this.judge(pod)]
      while (from < among.length && judged(among[from]!) !== undefined) from += 1
      const found = among[from]
      isStale = found !== undefined && asksOfNeighbours(pod)
      if (found) this.put(pod, found)
      else left.push(pod)
    }
    return left
  }
}

export function hasRoom(place: Room & { readonly guessed?: Room }, pod: PodNeed): boolean {
  return holds(place, pod) || (place.guessed !== undefined && place.pods > 0 && !holds(place.guessed, pod))
}

/** An amount of which nothing is known is taken to be there. */
function holds({ cpuMillis, memoryMiB, pods, more = {} }: Room, pod: PodNeed): boolean {
  return pods > 0 && cpuMillis >= pod.cpuMillis && memoryMiB >= pod.memoryMiB && Object.entries(pod.more ?? {}).every(([name, amount]) => (more[name] ?? Infinity) >= amount)
}

export function largestFirst(one: PodNeed, other: PodNeed): number {
  return other.cpuMillis - one.cpuMillis || other.memoryMiB - one.memoryMiB || (shapeOf(one) < shapeOf(other) ? -1 : Number(shapeOf(one) !== shapeOf(other)))
}

const shapes = new WeakMap<PodNeed, string>()

/** All of a pod but its name. */
export function shapeOf(pod: PodNeed): string {
  let shape = shapes.get(pod)
  if (shape === undefined) shapes.set(pod, shape = JSON.stringify({ ...pod, name: pod.name.slice(0, pod.name.indexOf('/') + 1) }))
  return shape
}

/** A node that the pool would make next, with one pod of each DaemonSet that goes there. */
export function nextNode({ spec: { labels, taints, cordon }, facts: { offers } }: Maker, { perNode, daemons = [] }: Pick<RoomSeen, 'perNode' | 'daemons'>, number: number): Place {
  const known = perNode?.known ? perNode : offers, guess = known ?? perNode
  const room = { cpuMillis: guess?.cpuMillis ?? Infinity, memoryMiB: guess?.memoryMiB ?? Infinity, pods: guess?.pods ?? USUAL_PODS, more: { ...offers?.more } }
  const name = `a node to come, ${number}`
  const node: Place = {
    name, ...room, labels: { ...offers?.labels, ...Object.fromEntries(labels.map(({ key, value }) => [key, value])), [HOSTNAME]: name }, taints, open: true, shut: cordon === true, goes: false, carries: [],
    // One is enough to see what they offer.
    ...(!known && number === 0 && { guessed: room }),
  }
  const places = new Places([node])
  for (const daemon of daemons) if (isPutUpWith(taints, daemon.tolerations) && isChosen(node, daemon)) places.put(daemon, node)
  return node.guessed ? { ...node, guessed: { ...node, more: { ...node.more } } } : node
}

/** As kubelets have it where nothing else is said. */
export const USUAL_PODS = 110
