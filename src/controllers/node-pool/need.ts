import { hash } from 'node:crypto'
import type { Held, NodePoolFacts, NodePoolSpec } from '#model/node-pool/record.ts'
import { asksOfNeighbours } from '#model/node-pool/neighbours.ts'
import { DWELL, keepsPlaceFor } from '#model/status/deadlines.ts'
import { rfc3339Seconds, spanText } from '#model/time.ts'
import type { NodeRoom, PodNeed, RoomSeen } from '#ports/tenant-cluster.ts'
import { largestFirst, mayOpen, nextNode, Places, shapeOf, termsOf, type Obstacle, type Place } from './places.ts'

/** A pool as far as it goes whether its nodes would take a pod. */
export interface Taker {
  readonly id: string
  readonly spec: Pick<NodePoolSpec, 'labels' | 'taints' | 'cordon' | 'scaling'>
  readonly facts: Pick<NodePoolFacts, 'deletion' | 'offers'>
}

export interface WeighedRoom extends RoomSeen {
  /** Something of somebody's waits only as what is on nodes keeps it from them: if that went, it would bring a node, and what went would follow. */
  readonly crowded?: true
  /** Something besides the base waits for nodes of another pool: else the base would bring a node beside it that goes at once as it carries the base alone, and so on for ever. */
  readonly needed?: true
}

export interface NeedSeen extends WeighedRoom {
  /** By pool which of the need its next nodes would take. */
  readonly takenBy: ReadonlyMap<string, readonly PodNeed[]>
  /** What waits, and what no node would take that a pool makes. */
  readonly untaken: readonly PodNeed[]
  readonly held: Readonly<Record<string, Held>>
}

/**
 * Of the pods that wait, those that are need: no node there is has a place for them, a pool that scales by itself makes nodes that would take them, and something besides the cluster's base needs nodes. The base alone
 * brings no first node, so that a cluster without pods of anybody's can be at none; beside others it is need as they are, since they would not run well without it.
 * What has a place by all that is told here waits for its scheduler, or for what nobody here weighs: another node would not help it, and it keeps that place. If it has waited there for long and others take the place, it is need like
 * any other: its scheduler may be back, or its volume there. But that may be in vain, and what came there come to the next node as well: so it keeps its next place for longer, whatever comes there, and the one after that for longer
 * still. That ends where its node is closed to it, or it asks for something else than it did.
 */
export function needIn(room: RoomSeen, pools: readonly Taker[], { before = {}, now = 0 }: { readonly before?: Readonly<Record<string, Held>> | undefined; readonly now?: number } = {}): NeedSeen {
  if (room.waiting.length === 0) return { ...room, takenBy: new Map(), untaken: [], held: {} }
  const places = Places.of(room.free), carried = new Map(places.all.map(place => [place, place.carries.length]))
  // On nodes that stay anyway first.
  const busy = new Set(room.busy), light = new Set(room.light.map(({ name }) => name)), rank = ({ name }: Place) => (busy.has(name) ? 0 : light.has(name) ? 1 : 2)
  const kept = keepPlaces(room.waiting, places, before, now), rest = new Set(places.putEach(kept.others, places.all.toSorted((one, other) => rank(one) - rank(other))))
  const held = places.all.map(place => ({ name: place.name, pods: place.carries.slice(carried.get(place)) as PodNeed[] })).filter(({ pods }) => pods.length > 0)
  const scaled = pools.filter(({ spec, facts }) => spec.scaling?.enabled && !facts.deletion)
  const takers = takersOf([...rest], scaled, places, room)
  // Sentences name the first one, which is the reason for the others of the base.
  const taken = room.waiting.filter(pod => takers.has(pod)).toSorted((one, other) => Number(one.base ?? false) - Number(other.base ?? false))
  const placed = { ...room, light: withHeld(room, held), free: room.free.map((one, index) => roomOf(one, places.all[index]!)) }
  const isNeed = needsNodes({ ...placed, waiting: taken }), waiting = isNeed ? taken : []
  const takenBy = new Map(scaled.map(pool => [pool.id, waiting.filter(pod => takers.get(pod)?.includes(pool))]))
  return { ...placed, waiting, takenBy, untaken: room.waiting.filter(pod => rest.has(pod) && !takers.has(pod) && pod.base !== true), held: heldNow(held, rest, kept.losers, before, now), ...!isNeed && isCrowded([...rest], scaled, places, placed) && { crowded: true as const } }
}

/** Those that had a place before keep it, some of them be there room left or not. */
function keepPlaces(waiting: readonly PodNeed[], places: Places, before: Readonly<Record<string, Held>>, now: number): { readonly others: readonly PodNeed[]; /** Those whose place others took after long. */ readonly losers: ReadonlySet<PodNeed> } {
  const byName = new Map(places.all.map(place => [place.name, place])), losers = new Set<PodNeed>()
  const rank = (pod: PodNeed) => (isPinned(heldBefore(pod, before), now) ? 0 : isLong(heldBefore(pod, before), now) ? 1 : 2)
  const others = waiting.toSorted((one, other) => rank(one) - rank(other)).filter(pod => {
    const held = heldBefore(pod, before), place = byName.get(held?.node ?? ''), why = place && places.judge(pod)(place)
    if (!place || (why !== undefined && CLOSED.has(why))) return true
    if (why !== undefined && !isPinned(held, now)) {
      if (isLong(held, now)) losers.add(pod)
      return true
    }
    places.put(isLong(held, now) ? { ...pod, unweighed: true } : pod, place)
    return false
  })
  return { others, losers }
}

/** What lies in the node and the pod, whatever else is there. */
const CLOSED: ReadonlySet<Obstacle> = new Set(['cordon', 'taints', 'selector'])

function isLong(held: Held | undefined, now: number): held is Held & { readonly node: string } {
  return held?.node !== undefined && now - held.since >= DWELL.nodeIdle
}

/** It was made a node for in vain. */
function isPinned(held: Held | undefined, now: number): boolean {
  return held !== undefined && now - held.since < keepsPlaceFor(held.lost ?? 0)
}

/** One of that name that asks for something else is another pod. */
function heldBefore(pod: PodNeed, before: Readonly<Record<string, Held>>): Held | undefined {
  const held = before[pod.name]
  return held?.of === undefined || held.of === asksFor(pod) ? held : undefined
}

/** Labels are told only while they matter to somebody, and are nothing that it asks for. */
function asksFor({ labels: _labels, ends: _ends, unweighed: _unweighed, ...pod }: PodNeed): string {
  return hash('sha256', shapeOf(pod)).slice(0, 12)
}

/** Whoever remembers more than so many looks no further: they are alike. */
const REMEMBERED = 64

/** With those that have no place now, if they lost one. */
function heldNow(held: RoomSeen['light'], rest: Iterable<PodNeed>, losers: ReadonlySet<PodNeed>, before: Readonly<Record<string, Held>>, now: number): Readonly<Record<string, Held>> {
  const all = [...held.flatMap(({ name: node, pods }) => pods.map(pod => ({ pod, node }))), ...[...rest].map(pod => ({ pod, node: undefined }))].flatMap(({ pod, node }) => {
    const known = heldBefore(pod, before), lost = (known?.lost ?? 0) + Number(losers.has(pod))
    return node === undefined && lost === 0 ? [] : [{ pod, ...node !== undefined && { node }, since: known && known.node === node ? known.since : now, ...lost > 0 && { lost } }]
  })
  return Object.fromEntries(all.toSorted((one, other) => one.since - other.since).slice(0, REMEMBERED).map(({ pod, ...one }) => [pod.name, { ...one, of: asksFor(pod) }]))
}

function withHeld({ busy, light }: RoomSeen, held: RoomSeen['light']): RoomSeen['light'] {
  const extra = new Map(held.filter(({ name }) => !busy.includes(name)).map(({ name, pods }) => [name, pods]))
  const names = new Set(light.map(({ name }) => name))
  return [...light.map(one => ({ ...one, pods: [...one.pods, ...extra.get(one.name) ?? []] })), ...held.filter(({ name }) => extra.has(name) && !names.has(name))]
}

function roomOf(one: NodeRoom, { cpuMillis, memoryMiB, pods, more, carries }: Place): NodeRoom {
  return { ...one, cpuMillis, memoryMiB, pods, more, carries }
}

/** The pools whose next node would take it, of each that one would; also as near to others that wait as it has to be. */
function takersOf<P extends Taker>(rest: readonly PodNeed[], pools: readonly P[], places: Places, room: RoomSeen): ReadonlyMap<PodNeed, readonly P[]> {
  const byShape = Map.groupBy(rest, shapeOf), found = new Map<PodNeed, readonly P[]>(), late: PodNeed[][] = []
  for (const some of byShape.values()) {
    const ways = pools.map(pool => ({ pool, why: obstacleOf(some[0]!, pool, places, room) }))
    const takers = ways.flatMap(({ pool, why }) => (why === undefined ? [pool] : []))
    if (takers.length > 0) for (const pod of some) found.set(pod, takers)
    else if (ways.some(({ why }) => why === 'affinity')) late.push(some)
  }
  if (late.length > 0 && found.size > 0) addLate(late, found, places.copy(), room)
  return found
}

/** Whether somebody's would bring a node if the base, which alone is on nodes, waited as well: be the nodes that it is on there or not. */
function isCrowded(rest: readonly PodNeed[], pools: readonly Taker[], places: Places, room: RoomSeen): boolean {
  const base = room.light.flatMap(({ pods }) => pods), others = rest.filter(pod => pod.base !== true)
  if (base.length === 0 || others.length === 0) return false
  const names = new Set(base.map(({ name }) => name)), nodes = new Set(room.light.map(({ name }) => name))
  const without = places.all.map(place => ({ ...place, carries: place.carries.filter(({ name }) => !names.has(name)) }))
  return [without, without.filter(({ name }) => !nodes.has(name))].some(all => {
    const takers = takersOf([...rest, ...base], pools, new Places(all), room)
    return others.some(pod => takers.has(pod))
  })
}

/** Those that want to be near others that wait: each of those is thought to be on a node of its own, of a few that are alike. */
function addLate<P extends Taker>(late: readonly (readonly PodNeed[])[], found: Map<PodNeed, readonly P[]>, places: Places, room: RoomSeen): void {
  const ofPool = new Map<Place, P>()
  for (const first of [...Map.groupBy(found.keys(), shapeOf).values()].flatMap(some => some.slice(0, 1))) {
    for (const pool of found.get(first) ?? []) {
      const node = { ...nextNode(pool, room, 0), name: `${pool.id} ${ofPool.size}` }
      places.add(node)
      ofPool.set(node, pool)
      places.put(first, node)
    }
  }
  for (let open = [...late], before = Infinity; open.length < before;) {
    before = open.length
    open = open.filter(some => {
      const judged = places.judge(some[0]!), takers = [...new Set([...ofPool].flatMap(([node, pool]) => (judged(node) === undefined ? [pool] : [])))]
      if (takers.length === 0) return true
      for (const pod of some) found.set(pod, takers)
      const node = [...ofPool.keys()].find(one => judged(one) === undefined)!
      places.put(some[0]!, node)
      return false
    })
  }
}

function obstacleOf(pod: PodNeed, pool: Taker, places: Places, room: RoomSeen): Obstacle | undefined {
  const node = nextNode(pool, room, 0), takeAway = places.add(node), why = places.judge(pod)(node)
  takeAway()
  return why
}

const WORDS: Readonly<Record<Obstacle, string>> = {
  cordon: 'such a node takes no pods', selector: 'its node selector or node affinity asks for other labels', taints: 'it does not tolerate the taints', room: 'it asks for more than such a node has',
  ports: 'pods that are on each node have its host ports', spread: 'its topology spread does not allow it', affinity: 'no pod that it has to be near would be', antiAffinity: 'a pod that it must not be near would be', othersAntiAffinity: 'a pod that wants it no nearer would be',
}

/** Why pods that wait are no need of this pool's or any other's; undefined where there are none. */
export function untakenText({ untaken, held, ...room }: NeedSeen, pool: Taker, now = 0): string | undefined {
  const [first] = untaken.toSorted(byNames)
  const why = first && obstacleOf(first, pool, Places.of(room.free), room)
  if (first) return why && `${whoWaits(first.name, untaken.length)}, and a new node would not take it: ${WORDS[why]}`
  const stuck = Object.entries(held).flatMap(([name, its]) => (isLong(its, now) ? [{ name, ...its }] : [])).toSorted(byNames), [one] = stuck
  return one && `${whoWaits(one.name, stuck.length)}, and no node is made for it: the node ${one.node} had a place for it for at least ${spanText(DWELL.nodeIdle)} from ${rfc3339Seconds(one.since)} on`
}

function byNames({ name: one }: { readonly name: string }, { name: other }: { readonly name: string }): number {
  return one < other ? -1 : 1
}

function whoWaits(name: string, count: number): string {
  return count === 1 ? `the pod ${name} waits` : `${count} pods wait, ${name} among them`
}

/**
 * Of the nodes that autoscalers may take those that stay: pods of add-ons and of the base that are on them, and what has its place there, would find no room on what stays. All others may go at once, and each of them alone.
 * Nodes with fewer such pods go first, by name among equals, so that every pool of the cluster reckons alike. The base alone keeps none.
 * Pods that mind their neighbours are put in thought one by one, anew for each node: where many of them would move, the nodes of the others stay until those have.
 */
export function keptFor(room: WeighedRoom, takeable: readonly string[]): ReadonlySet<string> {
  const kept = new Set<string>(), mayGo = new Set(takeable)
  if (!needsNodes(room)) return kept
  const staying = new Set([...room.busy, ...room.light.map(({ name }) => name)])
  const going = new Set(takeable.filter(name => !staying.has(name))), moving: PodNeed[] = []
  const places = Places.of(room.free), byName = new Map(places.all.map(place => [place.name, place]))
  for (const place of places.all) if (going.has(place.name)) places.empty(place)
  const light = room.light.filter(({ name }) => mayGo.has(name)).toSorted((one, other) => one.pods.length - other.pods.length || (one.name < other.name ? -1 : 1))
  for (const { name, pods } of light) {
    // With those of nodes that go as well: what would have moved to this one moves elsewhere.
    const all = [...moving, ...pods], isTooMuch = moving.some(asksOfNeighbours) && all.filter(asksOfNeighbours).length > MOVED_AT_ONCE
    const place = byName.get(name), fillAgain = place && places.empty(place)
    if (!isTooMuch && !pods.some(({ unweighed }) => unweighed) && hasRoomAnyhow(all, places) && findRoom(all, places)) {
      moving.push(...pods)
    } else {
      kept.add(name)
      fillAgain?.()
    }
  }
  return kept
}

/** Of pods that mind their neighbours: so many are reckoned within a fraction of a second. */
const MOVED_AT_ONCE = 50

/** Something besides the base is there that is on a node, or waits for one that it could have. */
export function needsNodes({ waiting, busy, light, crowded, needed }: Pick<WeighedRoom, 'waiting' | 'busy' | 'light' | 'crowded' | 'needed'>): boolean {
  return crowded === true || needed === true || busy.length > 0 || [...waiting, ...light.flatMap(({ pods }) => pods)].some(({ base }) => base !== true)
}

/**
 * Whether each finds a place in whatever order the scheduler looks at them, and wherever it puts the others: on what is open to it there are so many places for the largest of them as there are pods. Else a node would come back for
 * what was put where another one was to go, and go again. One that may not be beside it may take a whole node from it.
 */
function hasRoomAnyhow(pods: readonly PodNeed[], places: Places): boolean {
  const largest = pods.reduce((most, { cpuMillis, memoryMiB, more = {} }) => ({
    cpuMillis: Math.max(most.cpuMillis, cpuMillis), memoryMiB: Math.max(most.memoryMiB, memoryMiB), more: { ...most.more, ...Object.fromEntries(Object.entries(more).map(([name, amount]) => [name, Math.max(amount, most.more[name] ?? 0)])) },
  }), { cpuMillis: 0, memoryMiB: 0, more: {} as Record<string, number> })
  const choosy = pods.filter(asksOfNeighbours).length
  // Where there is no place for the largest there is none that counts, so amounts of its own make no difference.
  return Map.groupBy(pods, termsOf).values().every(([first]) => {
    const pod = first!, judged = places.judge(pod), clashes = asksOfNeighbours(pod) ? pods.length - 1 : choosy
    const open = places.all.flatMap(place => (judged(place) === undefined ? [slotsOf(place, largest)] : [])).toSorted((one, other) => other - one)
    return open.slice(clashes).reduce((sum, slots) => sum + slots, 0) >= pods.length - clashes
  })
}

function slotsOf(place: Place, { cpuMillis, memoryMiB, more }: { readonly cpuMillis: number; readonly memoryMiB: number; readonly more: Readonly<Record<string, number>> }): number {
  const times = (has: number, asks: number) => (asks === 0 ? Infinity : Math.floor(has / asks))
  return Math.max(0, Math.min(place.pods, times(place.cpuMillis, cpuMillis), times(place.memoryMiB, memoryMiB), ...Object.entries(more).map(([name, amount]) => times(place.more[name] ?? Infinity, amount))))
}

/** Whether each finds a place: the largest one first, each on the emptiest that takes it; what waits for others after them. All places are left as they were. */
function findRoom(pods: readonly PodNeed[], places: Places): boolean {
  const takeOff: (() => void)[] = [], ranks = new Map(places.all.map((place, index) => [place, index]))
  const emptiestFirst = (one: Place, other: Place) => other.cpuMillis - one.cpuMillis || ranks.get(one)! - ranks.get(other)!
  let open = pods.toSorted(largestFirst), before = Infinity
  while (open.length > 0 && open.length < before && (before === Infinity || open.every(mayOpen))) {
    before = open.length
    open = putOnEmptiest(open)
  }
  for (const one of takeOff.toReversed()) one()
  return open.length === 0

  function putOnEmptiest(some: readonly PodNeed[]): PodNeed[] {
    const left: PodNeed[] = []
    let shape = '', terms = '', isStale = false, judged: (place: Place) => Obstacle | undefined = () => undefined, those: Place[] = [], passed: Place[] = []
    for (const pod of some) {
      const isNew = shapeOf(pod) !== shape
      if (isNew || isStale) judged = places.judge(pod)
      if (termsOf(pod) !== terms || (isNew && asksOfNeighbours(pod)) || (isStale && mayOpen(pod))) [those, passed] = [places.all.filter(place => MAY_HOLD.has(judged(place))).sort(emptiestFirst), []]
      // What was too little for one may be enough for another that differs in amounts alone.
      else if (isNew && passed.length > 0) [those, passed] = [[...passed, ...those], []]
      ;[shape, terms] = [shapeOf(pod), termsOf(pod)]
      while (those.length > 0 && judged(those[0]!) !== undefined) passed.push(those.shift()!)
      const emptiest = those.shift()
      isStale = emptiest !== undefined && asksOfNeighbours(pod)
      if (!emptiest) {
        left.push(pod)
        // Nothing that is placed after it would help it.
        if (!mayOpen(pod)) return left
        continue
      }
      takeOff.push(places.put(pod, emptiest))
      insert(those, emptiest, emptiestFirst)
    }
    return left
  }
}

const MAY_HOLD: ReadonlySet<Obstacle | undefined> = new Set([undefined, 'room'])

function insert(sorted: Place[], place: Place, order: (one: Place, other: Place) => number): void {
  let from = 0, to = sorted.length
  while (from < to) {
    const middle = (from + to) >> 1
    if (order(sorted[middle]!, place) < 0) from = middle + 1
    else to = middle
  }
  sorted.splice(from, 0, place)
}
