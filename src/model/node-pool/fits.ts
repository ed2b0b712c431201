import { KUBELETS_OWN_LABELS } from './labels.ts'
import type { Taint } from './record.ts'

export type Labels = Readonly<Record<string, string>>

/** A taint that pods put up with; without a key every taint, without a value any, without an effect all. */
export interface Toleration {
  readonly key?: string
  readonly value?: string
  readonly effect?: string
}

/** One of Kubernetes' `matchExpressions`. */
export interface Requirement {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[]
}

/** One of the terms of a required node affinity, as Kubernetes writes it: all of it must hold. */
export interface NodeTerm {
  readonly matchExpressions?: readonly Requirement[]
  /** By `metadata.name`. */
  readonly matchFields?: readonly Requirement[]
}

/** What a pod asks of a node by itself, besides room. */
export interface Terms {
  readonly nodeSelector?: Labels
  /** One of them must hold. */
  readonly nodeAffinity?: readonly NodeTerm[]
  readonly tolerations?: readonly Toleration[]
}

/** A node as far as such terms go. */
export interface Bearer {
  readonly name?: string
  readonly labels: Labels
  readonly taints: readonly Taint[]
  /** It is yet to come: what its kubelet will say of its machine is not known, and is taken to fit. */
  readonly open?: boolean
}

export function tolerates(tolerations: readonly Toleration[] | undefined, taint: Taint): boolean {
  return (tolerations ?? []).some(({ key, value, effect }) => (key === undefined || key === taint.key) && (value === undefined || value === taint.value) && (effect === undefined || effect === taint.effect))
}

/** The scheduler's filters apart from room and from what else is on nodes. */
export function takes(node: Bearer, terms: Terms): boolean {
  return isChosen(node, terms) && isPutUpWith(node.taints, terms.tolerations)
}

/** By the pod's selector and its node affinity. */
export function isChosen(node: Bearer, { nodeSelector, nodeAffinity }: Terms): boolean {
  return Object.entries(nodeSelector ?? {}).every(([key, value]) => has(node, { key, operator: 'In', values: [value] })) && (nodeAffinity === undefined || nodeAffinity.some(term => holds(node, term)))
}

export function isPutUpWith(taints: readonly Taint[], tolerations: readonly Toleration[] | undefined): boolean {
  return taints.every(taint => taint.effect === 'PreferNoSchedule' || tolerates(tolerations, taint))
}

/** A term that says nothing holds nowhere. */
function holds(node: Bearer, { matchExpressions = [], matchFields = [] }: NodeTerm): boolean {
  return matchExpressions.length + matchFields.length > 0 && matchExpressions.every(one => has(node, one))
    && matchFields.every(one => meets({ 'metadata.name': node.name ?? '' }, one))
}

function has(node: Bearer, requirement: Requirement): boolean {
  const { key } = requirement
  return (node.open === true && node.labels[key] === undefined && KUBELETS_OWN_LABELS.has(key) && key !== HOSTNAME) || meets(node.labels, requirement)
}

/** Each node's own name, as its kubelet labels it. */
export const HOSTNAME = 'kubernetes.io/hostname'

/** Kubernetes' operators; of one that nobody here knows it is not said that it holds. */
export function meets(labels: Labels, { key, operator, values = [] }: Requirement): boolean {
  const value = labels[key]
  switch (operator) {
    case 'In': return value !== undefined && values.includes(value)
    case 'NotIn': return value === undefined || !values.includes(value)
    case 'Exists': return value !== undefined
    case 'DoesNotExist': return value === undefined
    case 'Gt': return value !== undefined && Number(value) > Number(values[0])
    case 'Lt': return value !== undefined && Number(value) < Number(values[0])
    default: return false
  }
}
