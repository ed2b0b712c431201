import { isChosen, isPutUpWith, meets, type Bearer, type Labels, type Requirement, type Terms } from './fits.ts'

/** Kubernetes' LabelSelector: everything it says must hold, so an empty one selects all; one that is not there selects nothing. */
export interface Selector {
  readonly matchLabels?: Labels
  readonly matchExpressions?: readonly Requirement[]
}

/** A term of a required pod affinity or anti-affinity: pods that it selects, on nodes that share the value of the topology key. Without namespaces those of its pod's own. */
export interface PodTerm {
  readonly topologyKey: string
  readonly labelSelector?: Selector
  readonly namespaces?: readonly string[]
  /** As Kubernetes has it where it is empty: pods of all namespaces. */
  readonly namespaceSelector?: Readonly<Record<string, never>>
}

/** A spread constraint that keeps a pod from being scheduled (`DoNotSchedule`). */
export interface SpreadTerm {
  readonly topologyKey: string
  readonly maxSkew: number
  readonly labelSelector?: Selector
  readonly minDomains?: number
  /** `Honor` where it is not said. */
  readonly nodeAffinityPolicy?: string
  /** `Ignore` where it is not said. */
  readonly nodeTaintsPolicy?: string
}

export interface HostPort { readonly port: number; readonly protocol: string; readonly ip?: string }

/** What of a pod matters to others on its node and near it. */
export interface Marks {
  /** `NAMESPACE/NAME`. */
  readonly name: string
  readonly labels?: Labels
  readonly antiAffinity?: readonly PodTerm[]
  readonly hostPorts?: readonly HostPort[]
  /** It is being deleted: no spread counts it any more. */
  readonly ends?: true
}

/** What a pod asks of what else is on nodes. */
export interface NearTerms extends Marks, Terms {
  readonly affinity?: readonly PodTerm[]
  readonly spread?: readonly SpreadTerm[]
}

export interface Ground extends Bearer {
  readonly name: string
  /** Takes no pods now: cordoned, or not Ready. It is a place among others to whoever spreads all the same. */
  readonly shut?: boolean
  /** It is about to go: to spreads it is no place that counts towards the least number of them. */
  readonly goes?: boolean
  readonly carries: readonly Marks[]
}

/** Pods that are alike to whoever looks at them, with how many of them are on which ground. */
export interface Kind {
  readonly marks: Marks
  readonly on: Iterable<readonly [Ground, number]>
}

export type InTheWay = 'ports' | 'spread' | 'affinity' | 'antiAffinity' | 'othersAntiAffinity'

export function asksOfNeighbours({ affinity = [], antiAffinity = [], spread = [], hostPorts = [] }: NearTerms): boolean {
  return affinity.length + antiAffinity.length + spread.length + hostPorts.length > 0
}

/**
 * What on nodes and near them keeps the pod from each of them, by the scheduler's filters for ports, spreads and other pods; nodes are as they are now. Whoever asks this of many pods keeps `kinds`: each is looked at once,
 * however many pods are of it.
 */
export function neighboursOf(pod: NearTerms, grounds: readonly Ground[], kinds: readonly Kind[] = kindsOf(pod, grounds)): (ground: Ground) => InTheWay | undefined {
  const filters = [portsOf(pod, kinds), ...(pod.spread ?? []).map(term => spreadOf(pod, term, grounds, kinds)), ...pod.affinity?.length ? [affinityOf(pod, pod.affinity, kinds)] : [], antiAffinityOf(pod, kinds), othersOf(pod, kinds)]
    .filter(filter => filter !== undefined)
  return ground => {
    for (const filter of filters) {
      const found = filter(ground)
      if (found) return found
    }
    return undefined
  }
}

/** Each as one of its own, of those that matter: to a pod that asks for nothing those that keep others away. */
function kindsOf(pod: NearTerms, grounds: readonly Ground[]): readonly Kind[] {
  const asks = asksOfNeighbours(pod), kinds: Kind[] = []
  for (const ground of grounds) for (const marks of ground.carries) if (asks || marks.antiAffinity) kinds.push({ marks, on: [[ground, 1]] })
  return kinds
}

type Filter = ((ground: Ground) => InTheWay | undefined) | undefined

function portsOf({ hostPorts = [] }: NearTerms, kinds: readonly Kind[]): Filter {
  if (hostPorts.length === 0) return undefined
  const clash = (one: HostPort, other: HostPort) => one.port === other.port && one.protocol === other.protocol && (isAny(one) || isAny(other) || one.ip === other.ip)
  const taken = groundsOf(kinds, other => other.hostPorts?.some(theirs => hostPorts.some(own => clash(own, theirs))) === true)
  return ground => (taken.has(ground) ? 'ports' : undefined)
}

/** Those that carry such pods, with how many. */
function groundsOf(kinds: readonly Kind[], isMeant: (marks: Marks) => boolean): ReadonlyMap<Ground, number> {
  const found = new Map<Ground, number>()
  for (const { marks, on } of kinds) if (isMeant(marks)) for (const [ground, count] of on) found.set(ground, (found.get(ground) ?? 0) + count)
  return found
}

function isAny({ ip = '' }: HostPort): boolean {
  return ip === '' || ip === '0.0.0.0' || ip === '::'
}

function spreadOf(pod: NearTerms, term: SpreadTerm, grounds: readonly Ground[], kinds: readonly Kind[]): Filter {
  const { topologyKey, maxSkew, minDomains = 1, nodeAffinityPolicy = 'Honor', nodeTaintsPolicy = 'Ignore' } = term
  const counts = new Map<string, number>(), staying = new Set<string>(), namespace = namespaceOf(pod)
  const found = groundsOf(kinds, other => !other.ends && namespaceOf(other) === namespace && selects(term.labelSelector, other.labels))
  for (const ground of grounds) {
    const value = ground.labels[topologyKey]
    const isCounted = (nodeAffinityPolicy !== 'Honor' || isChosen(ground, pod)) && (nodeTaintsPolicy !== 'Honor' || (ground.shut !== true && isPutUpWith(ground.taints, pod.tolerations)))
    if (value === undefined || !isCounted || pod.spread?.some(other => ground.labels[other.topologyKey] === undefined)) continue
    counts.set(value, (counts.get(value) ?? 0) + (found.get(ground) ?? 0))
    if (!ground.goes) staying.add(value)
  }
  const least = staying.size < minDomains ? 0 : Math.min(...counts.values()), self = selects(term.labelSelector, pod.labels) ? 1 : 0
  return ({ labels }) => {
    const value = labels[topologyKey]
    return value === undefined || (counts.get(value) ?? 0) + self - least > maxSkew ? 'spread' : undefined
  }
}

/** A pod counts if all terms select it. The first of those that want to be near each other may be anywhere. */
function affinityOf(pod: NearTerms, terms: readonly PodTerm[], kinds: readonly Kind[]): Filter {
  const near = [...groundsOf(kinds, other => terms.every(term => concerns(pod, term, other))).keys()]
  const isFirst = terms.every(({ topologyKey }) => !near.some(({ labels }) => labels[topologyKey] !== undefined)) && terms.every(term => concerns(pod, term, pod))
  const values = terms.map(({ topologyKey }) => new Set(near.flatMap(({ labels }) => labels[topologyKey] ?? [])))
  const isNear = ({ labels }: Ground, { topologyKey }: PodTerm, index: number) => {
    const value = labels[topologyKey]
    return value !== undefined && (isFirst || values[index]?.has(value) === true)
  }
  return ground => (terms.every((term, index) => isNear(ground, term, index)) ? undefined : 'affinity')
}

function antiAffinityOf(pod: NearTerms, kinds: readonly Kind[]): Filter {
  const { antiAffinity = [] } = pod, shut = new Shut()
  for (const term of antiAffinity) for (const { marks, on } of kinds) if (concerns(pod, term, marks)) shut.add(term, on)
  return shut.filter('antiAffinity')
}

/** Those that are there already want it no nearer either. */
function othersOf(pod: NearTerms, kinds: readonly Kind[]): Filter {
  const shut = new Shut()
  for (const { marks, on } of kinds) for (const term of marks.antiAffinity ?? []) if (concerns(marks, term, pod)) shut.add(term, on)
  return shut.filter('othersAntiAffinity')
}

/** Values of topology keys: nodes that have one of them are shut. */
class Shut {
  readonly #values = new Map<string, Set<string>>()

  add({ topologyKey }: PodTerm, on: Kind['on']): void {
    const values = this.#values.get(topologyKey) ?? new Set()
    for (const [{ labels }] of on) if (labels[topologyKey] !== undefined) values.add(labels[topologyKey])
    if (values.size > 0) this.#values.set(topologyKey, values)
  }

  filter(why: InTheWay): Filter {
    return this.#values.size === 0 ? undefined : ({ labels }) => ([...this.#values].some(([key, shut]) => labels[key] !== undefined && shut.has(labels[key])) ? why : undefined)
  }
}

/** Whether the term of that pod selects the other one. */
function concerns(pod: Marks, { labelSelector, namespaces = [], namespaceSelector }: PodTerm, other: Marks): boolean {
  const namespace = namespaceOf(other)
  return (namespaceSelector !== undefined || (namespaces.length === 0 ? namespace === namespaceOf(pod) : namespaces.includes(namespace))) && selects(labelSelector, other.labels)
}

/** Asked of each pod for each that waits: without a list in between. */
export function selects(selector: Selector | undefined, labels: Labels = {}): boolean {
  if (selector === undefined) return false
  const { matchLabels = {}, matchExpressions = [] } = selector
  for (const key in matchLabels) if (labels[key] !== matchLabels[key]) return false
  return matchExpressions.every(one => meets(labels, one))
}

function namespaceOf({ name }: Marks): string {
  return name.slice(0, Math.max(0, name.indexOf('/')))
}
