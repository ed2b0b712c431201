import { KUBELETS_OWN_LABELS } from './labels.ts'
import type { NodePoolSpec, Taint } from './record.ts'

/** A taint that pods put up with; without a key every taint, without a value any, without an effect all. */
export interface Toleration {
  readonly key?: string
  readonly value?: string
  readonly effect?: string
}

/** What a pod asks of a node besides room. */
export interface Terms {
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly tolerations?: readonly Toleration[]
}

export function tolerates(tolerations: readonly Toleration[] | undefined, taint: Taint): boolean {
  return (tolerations ?? []).some(({ key, value, effect }) => (key === undefined || key === taint.key) && (value === undefined || value === taint.value) && (effect === undefined || effect === taint.effect))
}

/** The scheduler's filters apart from room. */
export function takes({ labels, taints }: { readonly labels: Readonly<Record<string, string>>; readonly taints: readonly Taint[] }, { nodeSelector, tolerations }: Terms): boolean {
  return Object.entries(nodeSelector ?? {}).every(([key, value]) => labels[key] === value) && isPutUpWith(taints, tolerations)
}

/** Whether a node that the pool makes next would take the pod. What a kubelet says of its machine is not known before; its name is one that nobody has asked for. */
export function wouldTake({ labels, taints, cordon }: Pick<NodePoolSpec, 'labels' | 'taints' | 'cordon'>, { nodeSelector, tolerations }: Terms): boolean {
  const has = ([key, value]: [string, string]) => (KUBELETS_OWN_LABELS.has(key) ? key !== 'kubernetes.io/hostname' : labels.some(label => label.key === key && label.value === value))
  return cordon !== true && Object.entries(nodeSelector ?? {}).every(has) && isPutUpWith(taints, tolerations)
}

function isPutUpWith(taints: readonly Taint[], tolerations: readonly Toleration[] | undefined): boolean {
  return taints.every(taint => taint.effect === 'PreferNoSchedule' || tolerates(tolerations, taint))
}
