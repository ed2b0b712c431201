import type { NodeTerm, Toleration } from '#model/node-pool/fits.ts'
import type { HostPort, Marks, PodTerm, Selector, SpreadTerm } from '#model/node-pool/neighbours.ts'
import type { Amounts, PodNeed } from '#ports/tenant-cluster.ts'
import type { ContainerObject, PodObject, PodSpecObject, PodTermObject, SelectorObject } from '../client/objects.ts'
import { DNS_LABELS, SYSTEM_NAMESPACE } from './base/names.ts'
import { amount, cpuMillis, memoryMiB } from './quantities.ts'

/** What a pod asks for, and of whom. `weighs`: some pod asks for something of its neighbours, so that all tell what neighbours look at. */
export function needOf(pod: PodObject, weighs: boolean): PodNeed {
  const { metadata: { name, namespace = 'default', labels = {} }, spec = {} } = pod
  const isBase = namespace === SYSTEM_NAMESPACE && Object.entries(DNS_LABELS).every(([key, value]) => labels[key] === value)
  const { nodeAffinity, podAffinity } = spec.affinity ?? {}, terms = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms, spread = spreadOf(pod)
  return {
    ...weighs ? marksOf(pod) : { name: `${namespace}/${name}` }, ...requestsOf(pod), ...(spec.nodeSelector && { nodeSelector: spec.nodeSelector }), ...(spec.tolerations && { tolerations: spec.tolerations.map(seeToleration) }),
    ...(nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution && { nodeAffinity: (terms ?? []).map((term): NodeTerm => ({ ...term.matchExpressions && { matchExpressions: term.matchExpressions }, ...term.matchFields && { matchFields: term.matchFields } })) }),
    ...some('affinity', podAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.map(podTerm)), ...some('spread', spread), ...(isUnweighed(spec) && { unweighed: true as const }), ...(isBase && { base: true as const }),
  }
}

/** What of a pod others look at. */
export function marksOf({ metadata: { name, namespace = 'default', labels, deletionTimestamp }, spec = {} }: PodObject): Marks {
  return {
    name: `${namespace}/${name}`, ...(labels && { labels }), ...some('antiAffinity', spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.map(podTerm)),
    ...some('hostPorts', portsOf(spec)), ...(deletionTimestamp !== undefined && { ends: true as const }),
  }
}

/** Whether what is on nodes, besides how much of it, matters to where the pod may be. */
export function asksOfNeighbours(pod: PodObject): boolean {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {}
  return [podAffinity, podAntiAffinity].some(each => (each?.requiredDuringSchedulingIgnoredDuringExecution ?? []).length > 0) || spreadOf(pod).length > 0 || portsOf(pod.spec ?? {}).length > 0
}

function some<Name extends string, Value>(name: Name, values: readonly Value[] | undefined): { [Key in Name]?: readonly Value[] } {
  return (values?.length ? { [name]: values } : {}) as { [Key in Name]?: readonly Value[] }
}

/** Which namespaces have those labels is not looked for; an empty selector of them means all. */
function podTerm({ topologyKey, labelSelector, namespaces, namespaceSelector }: PodTermObject): PodTerm {
  return { topologyKey, ...(labelSelector && { labelSelector: selector(labelSelector) }), ...some('namespaces', namespaces), ...(namespaceSelector && !isNarrow(namespaceSelector) && { namespaceSelector: {} }) }
}

function selector({ matchLabels, matchExpressions }: SelectorObject): Selector {
  return { ...(matchLabels && { matchLabels }), ...(matchExpressions && { matchExpressions }) }
}

function isNarrow({ matchLabels = {}, matchExpressions = [] }: SelectorObject): boolean {
  return Object.keys(matchLabels).length + matchExpressions.length > 0
}

function spreadOf({ metadata: { labels = {} }, spec }: PodObject): readonly SpreadTerm[] {
  return (spec?.topologySpreadConstraints ?? []).filter(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule').map(({ topologyKey, maxSkew, labelSelector, matchLabelKeys = [], minDomains, nodeAffinityPolicy, nodeTaintsPolicy }) => {
    const own = matchLabelKeys.flatMap(key => (labels[key] === undefined ? [] : [{ key, operator: 'In', values: [labels[key]] }]))
    const selects = labelSelector && { ...selector(labelSelector), ...(own.length > 0 && { matchExpressions: [...labelSelector.matchExpressions ?? [], ...own] }) }
    return { topologyKey, maxSkew, ...(selects && { labelSelector: selects }), ...(minDomains !== undefined && { minDomains }), ...(nodeAffinityPolicy !== undefined && { nodeAffinityPolicy }), ...(nodeTaintsPolicy !== undefined && { nodeTaintsPolicy }) }
  })
}

/** Of sidecars as well: they stay beside the others. */
function portsOf({ containers = [], initContainers = [] }: PodSpecObject): readonly HostPort[] {
  return [...containers, ...initContainers.filter(isSidecar)].flatMap(({ ports = [] }) => ports.flatMap(({ hostPort, hostIP, protocol = 'TCP' }) => (hostPort ? [{ port: hostPort, protocol, ...(hostIP !== undefined && { ip: hostIP }) }] : [])))
}

function isUnweighed({ affinity, volumes = [], resourceClaims = [], schedulerName = 'default-scheduler' }: PodSpecObject): boolean {
  const terms = [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap(each => each?.requiredDuringSchedulingIgnoredDuringExecution ?? [])
  return volumes.some(({ persistentVolumeClaim, ephemeral }) => persistentVolumeClaim ?? ephemeral) || resourceClaims.length > 0 || schedulerName !== 'default-scheduler' || terms.some(({ namespaceSelector }) => namespaceSelector !== undefined && isNarrow(namespaceSelector))
}

function seeToleration({ key, operator, value, effect }: NonNullable<PodSpecObject['tolerations']>[number]): Toleration {
  return { ...(key !== undefined && { key }), ...(operator !== 'Exists' && { value: value ?? '' }), ...(effect !== undefined && { effect }) }
}

function isSidecar({ restartPolicy }: ContainerObject): boolean {
  return restartPolicy === 'Always'
}

/** As the scheduler adds it up: what runs together, or the largest of what runs before it, and what the runtime itself takes. What is said of the pod as a whole holds in place of that. */
export function requestsOf({ spec = {} }: PodObject): { readonly cpuMillis: number; readonly memoryMiB: number; readonly more?: Amounts } {
  const { containers = [], initContainers = [], overhead = {}, resources } = spec
  const names = new Set([...containers, ...initContainers].flatMap(one => Object.keys(one.resources?.requests ?? {})).concat(Object.keys(overhead), Object.keys(resources?.requests ?? {})))
  const asked = (name: string, read: (quantity: string | undefined) => number) => {
    const of = (one: ContainerObject) => read(one.resources?.requests?.[name])
    let beside = 0, most = 0
    for (const one of initContainers) {
      most = Math.max(most, beside + of(one))
      if (isSidecar(one)) beside += of(one)
    }
    const parts = Math.max(most, containers.reduce((sum, one) => sum + of(one), beside))
    return (resources?.requests?.[name] === undefined ? parts : read(resources.requests[name])) + read(overhead[name])
  }
  const more = Object.fromEntries([...names].filter(name => name !== 'cpu' && name !== 'memory').map(name => [name, asked(name, amount)] as const).filter(([, value]) => value > 0))
  return { cpuMillis: asked('cpu', cpuMillis), memoryMiB: asked('memory', memoryMiB), ...(Object.keys(more).length > 0 && { more }) }
}
