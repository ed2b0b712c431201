import { HOSTNAME, isChosen, isPutUpWith } from '#model/node-pool/fits.ts'
import { wishOf } from '#model/node-pool/node-config.ts'
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

/** Nodes and what is on them. Pods are put on them as the scheduler would. How many pods of a kind are where is kept, as a look at each pod for each one that waits would take seconds. */
export class Places {
  readonly #all: Place[] = []
  readonly #kinds = new Map<string, { readonly marks: Marks; readonly on: Map<Ground, number> }>()

  /** What was found of neighbours since something was put anywhere: those that differ in amounts alone share it. */
  readonly #near = new Map<string, (place: Place) => InTheWay | undefined>()

  constructor(all: readonly Place[]) {
    for (const place of all) this.add(place)
  }

  static of(free: readonly NodeRoom[]): Places {
    return new Places(free.map(({ carries = [], more = {}, shut = false, name, labels, taints, cpuMillis, memoryMiB, pods }) => ({ name, labels, taints, cpuMillis, memoryMiB, pods, shut, goes: false, more: { ...more }, carries: [...carries] })))
  }

  get all(): readonly Place[] {
    return this.#all
  }

  copy(): Places {
    return new Places(this.all.map(one => ({ ...one, more: { ...one.more }, carries: [...one.carries] })))
  }

  /** Answers how to take it away again; whatever was done after it is taken back before. */
  add(place: Place): () => void {
    this.#all.push(place)
    this.#count(place, 1)
    return () => {
      this.#all.pop()
      this.#count(place, -1)
    }
  }

  /** What keeps the pod from each of the places. Neighbours are as they are when the first place is found that has room, or at once where none is put before that. */
  judge(pod: PodNeed): (place: Place) => Obstacle | undefined {
    let near: ((place: Place) => InTheWay | undefined) | undefined
    return place => {
      if (place.shut) return 'cordon'
      if (!isPutUpWith(place.taints, pod.tolerations)) return 'taints'
      if (!isChosen(place, pod)) return 'selector'
      if (!hasRoom(place, pod)) return 'room'
      near ??= this.#nearOf(pod)
      return near(place)
    }
  }

  #nearOf(pod: PodNeed): (place: Place) => InTheWay | undefined {
    const terms = termsOf(pod), near = this.#near.get(terms) ?? neighboursOf(pod, this.all, [...this.#kinds.values()])
    this.#near.set(terms, near)
    return near
  }

  /** Answers how to take it off again; whatever was done after it is taken back before. */
  put(pod: PodNeed, place: Place): () => void {
    const { cpuMillis, memoryMiB, pods, more } = place, asked = Object.entries(pod.more ?? {}).filter(([name]) => more[name] !== undefined)
    place.carries.push(pod)
    this.#countOne(pod, place, 1)
    place.cpuMillis -= pod.cpuMillis
    place.memoryMiB -= pod.memoryMiB
    place.pods -= 1
    if (asked.length > 0) place.more = { ...more, ...Object.fromEntries(asked.map(([name, amount]) => [name, more[name]! - amount])) }
    return () => {
      place.carries.pop()
      this.#countOne(pod, place, -1)
      Object.assign(place, { cpuMillis, memoryMiB, pods, more })
    }
  }

  /** Its node is about to go, and so does what is on it: it is still a place to spreads while it goes, and for ever where its machine is only switched off. Answers how to take that back, as `put` does. */
  empty(place: Place): () => void {
    const { shut, goes, carries } = place
    this.#count(place, -1)
    Object.assign(place, { shut: true, goes: true, carries: [] })
    return () => {
      Object.assign(place, { shut, goes, carries })
      this.#count(place, 1)
    }
  }

  #count(place: Place, by: 1 | -1): void {
    this.#near.clear()
    for (const marks of place.carries) this.#countOne(marks, place, by)
  }

  #countOne(marks: Marks, place: Place, by: 1 | -1): void {
    this.#near.clear()
    const key = kindOf(marks), kind = this.#kinds.get(key) ?? { marks, on: new Map<Ground, number>() }, count = (kind.on.get(place) ?? 0) + by
    if (count === 0) kind.on.delete(place)
    else kind.on.set(place, count)
    if (kind.on.size === 0) this.#kinds.delete(key)
    else this.#kinds.set(key, kind)
  }

  /** Puts each on the first of those places that takes it, the largest one first, and answers those that none takes. What waits for others is tried again after them. */
  putEach(pods: readonly PodNeed[], among: readonly Place[] = this.all): readonly PodNeed[] {
    const left = this.#putOnce(pods.toSorted(largestFirst), among)
    return left.length > 0 && left.length < pods.length && left.some(mayOpen) ? this.putEach(left, among) : left
  }

  #putOnce(pods: readonly PodNeed[], among: readonly Place[]): readonly PodNeed[] {
    const left: PodNeed[] = []
    let shape = '', from = 0, isStale = false, judged: (place: Place) => Obstacle | undefined = () => undefined
    for (const pod of pods) {
      const own = shapeOf(pod)
      // What has no place for one has none for the next that is just like it; where it wants to be near others or to spread, until one more is placed.
      if (own !== shape || (isStale && mayOpen(pod))) from = 0
      if (own !== shape || isStale) [shape, judged] = [own, this.judge(pod)]
      while (from < among.length && judged(among[from]!) !== undefined) from += 1
      const found = among[from]
      isStale = found !== undefined && asksOfNeighbours(pod)
      if (found) this.put(pod, found)
      else left.push(pod)
    }
    return left
  }
}

/** Whether places that are closed to it may open as others are placed. */
export function mayOpen({ affinity, spread }: PodNeed): boolean {
  return (affinity ?? spread) !== undefined
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

/** All of a pod but its name. */
export const shapeOf = remembered((pod: PodNeed) => JSON.stringify({ ...pod, name: namespaceOf(pod) }))

/** All of a pod but its name and how much it asks for. */
export const termsOf = remembered(({ cpuMillis: _cpu, memoryMiB: _memory, more: _more, base: _base, unweighed: _unweighed, ...terms }: PodNeed) => JSON.stringify({ ...terms, name: namespaceOf(terms) }))

/** All of a pod that others look at. */
const kindOf = remembered((marks: Marks) => JSON.stringify([namespaceOf(marks), marks.labels, marks.antiAffinity, marks.hostPorts, marks.ends]))

function namespaceOf({ name }: Marks): string {
  return name.slice(0, name.indexOf('/') + 1)
}

function remembered<Pod extends object>(reckon: (pod: Pod) => string): (pod: Pod) => string {
  const known = new WeakMap<Pod, string>()
  return pod => {
    const found = known.get(pod) ?? reckon(pod)
    known.set(pod, found)
    return found
  }
}

/** A node that the pool would make next, with one pod of each DaemonSet that goes there. */
export function nextNode({ spec, facts: { offers } }: Maker, { perNode, daemons = [] }: Pick<RoomSeen, 'perNode' | 'daemons'>, number: number): Place {
  const { labels, taints } = wishOf(spec, {})
  const known = perNode?.known ? perNode : offers, guess = known ?? perNode
  const room = { cpuMillis: guess?.cpuMillis ?? Infinity, memoryMiB: guess?.memoryMiB ?? Infinity, pods: guess?.pods ?? USUAL_PODS, more: { ...offers?.more } }
  const name = `a node to come, ${number}`
  const node: Place = {
    name, ...room, labels: { ...offers?.labels, ...Object.fromEntries(labels.map(({ key, value }) => [key, value])), [HOSTNAME]: name }, taints, open: true, shut: spec.cordon === true, goes: false, carries: [],
    // One is enough to see what they offer.
    ...(!known && number === 0 && { guessed: room }),
  }
  const places = new Places([node])
  for (const daemon of daemons) if (isPutUpWith(taints, daemon.tolerations) && isChosen(node, daemon)) places.put(daemon, node)
  return node.guessed ? { ...node, guessed: { ...node, more: { ...node.more } } } : node
}

/** As kubelets have it where nothing else is said. */
export const USUAL_PODS = 110
