import type { NodeObject, PodObject, PodTermObject, SelectorObject } from '#kubernetes/client/objects.ts'

/** kube-scheduler's filters, told by its documentation alone: nothing of the product's own reckoning is in here. Amounts are whole processors' thousandths, and devices. */
export interface OnNodes { readonly node: NodeObject; readonly pods: readonly PodObject[] }

type Values = Readonly<Record<string, string>>

/** What of a pod the scheduler minds, and the API of a pod does not tell: a volume that is elsewhere, or nowhere. */
export const PINNED = 'pinned'

/** What a device plugin reports. */
export const DEVICE = 'example.com/gpu'

const devices = (pod: PodObject): number => (pod.spec?.containers ?? []).reduce((sum, { resources }) => sum + Number(resources?.requests?.[DEVICE] ?? 0), 0)

export function fits(pod: PodObject, on: OnNodes, all: readonly OnNodes[]): boolean {
  const { node, pods } = on, spec = pod.spec ?? {}, labels = node.metadata.labels ?? {}
  if (node.spec?.unschedulable || !node.status?.conditions?.some(({ status }) => status === 'True')) return false
  if ((node.spec?.taints ?? []).some(({ key }) => !spec.tolerations?.some(one => one.key === key))) return false
  if (!isWanted(pod, labels)) return false
  if (pod.metadata.annotations?.[PINNED] !== undefined) return false
  if (milli(node.status?.allocatable?.['cpu']) < [pod, ...pods].reduce((sum, one) => sum + asked(one), 0)) return false
  if (Number(node.status?.allocatable?.[DEVICE] ?? 0) < devices(pod) + (devices(pod) > 0 ? pods.reduce((sum, one) => sum + devices(one), 0) : 0)) return false
  if (pods.length + 1 > Number(node.status?.allocatable?.['pods'])) return false
  const ports = (one: PodObject) => one.spec?.containers?.flatMap(each => each.ports?.flatMap(({ hostPort }) => hostPort ?? []) ?? []) ?? []
  if (pods.some(other => ports(other).some(port => ports(pod).includes(port)))) return false
  return isSpread(pod, labels, all) && isNear(pod, labels, all) && isFar(pod, labels, all)
}

function isWanted(pod: PodObject, labels: Values): boolean {
  const { nodeSelector = {}, affinity } = pod.spec ?? {}, terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  return Object.entries(nodeSelector).every(([key, value]) => labels[key] === value) && (terms === undefined || terms.some(({ matchExpressions = [] }) => matchExpressions.every(one => says(one, labels))))
}

function isSpread(pod: PodObject, labels: Values, all: readonly OnNodes[]): boolean {
  const terms = pod.spec?.topologySpreadConstraints ?? []
  return terms.every(({ topologyKey, maxSkew, minDomains = 1, labelSelector }) => {
    const eligible = all.filter(({ node }) => terms.every(term => node.metadata.labels?.[term.topologyKey] !== undefined) && isWanted(pod, node.metadata.labels ?? {}))
    const domains = new Map<string, number>()
    for (const { node, pods } of eligible) {
      const domain = node.metadata.labels?.[topologyKey] ?? ''
      domains.set(domain, (domains.get(domain) ?? 0) + pods.filter(other => isBeside(pod, other) && picks(labelSelector, other)).length)
    }
    const least = domains.size < minDomains ? 0 : Math.min(...domains.values())
    return labels[topologyKey] !== undefined && (domains.get(labels[topologyKey]) ?? 0) + (picks(labelSelector, pod) ? 1 : 0) - least <= maxSkew
  })
}

function isNear(pod: PodObject, labels: Values, all: readonly OnNodes[]): boolean {
  const terms = pod.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
  const matching = all.filter(({ pods }) => pods.some(other => terms.every(term => isMeant(pod, term, other))))
  const isNobodyThere = !terms.some(({ topologyKey }) => matching.some(({ node }) => node.metadata.labels?.[topologyKey] !== undefined))
  if (terms.some(({ topologyKey }) => labels[topologyKey] === undefined)) return false
  return terms.every(({ topologyKey }) => matching.some(({ node }) => node.metadata.labels?.[topologyKey] === labels[topologyKey])) || (isNobodyThere && terms.every(term => isMeant(pod, term, pod)))
}

function isFar(pod: PodObject, labels: Values, all: readonly OnNodes[]): boolean {
  const terms = (one: PodObject) => one.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
  const shares = (term: PodTermObject, node: NodeObject) => labels[term.topologyKey] !== undefined && node.metadata.labels?.[term.topologyKey] === labels[term.topologyKey]
  return all.every(({ node, pods }) => pods.every(other => !terms(pod).some(term => isMeant(pod, term, other) && shares(term, node)) && !terms(other).some(term => isMeant(other, term, pod) && shares(term, node))))
}

function isMeant(pod: PodObject, { labelSelector, namespaces = [] }: PodTermObject, other: PodObject): boolean {
  return (namespaces.length > 0 ? namespaces.includes(other.metadata.namespace ?? '') : isBeside(pod, other)) && picks(labelSelector, other)
}

function isBeside(pod: PodObject, other: PodObject): boolean {
  return pod.metadata.namespace === other.metadata.namespace
}

function picks(selector: SelectorObject | undefined, { metadata: { labels = {} } }: PodObject): boolean {
  return selector !== undefined && Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) && (selector.matchExpressions ?? []).every(one => says(one, labels))
}

function says({ key, operator, values = [] }: { readonly key: string; readonly operator: string; readonly values?: readonly string[] }, labels: Values): boolean {
  const value = labels[key], isOne = value !== undefined && values.includes(value)
  return operator === 'In' ? isOne : operator === 'NotIn' ? !isOne : operator === 'Exists' ? value !== undefined : value === undefined
}

export function asked(pod: PodObject): number {
  return pod.spec?.containers?.reduce((sum, { resources }) => sum + milli(resources?.requests?.['cpu']), 0) ?? 0
}

function milli(quantity = '0'): number {
  return Number.parseInt(quantity, 10)
}
