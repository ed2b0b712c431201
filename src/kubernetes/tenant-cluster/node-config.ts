import { KUBELETS_OWN_LABELS } from '#model/node-pool/labels.ts'
import { BEGINS_CORDONED, BEING_STOPPED, beginsCordoned } from '#model/node-pool/node-config.ts'
import type { NodeConfig } from '#ports/tenant-cluster.ts'
import type { NodeObject, NodeTaint } from '../client/objects.ts'
import { NODE_CONFIG_ANNOTATION } from './base/names.ts'

interface Remembered {
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly string[]
}

/** A merge patch of a Node; null takes a label off. */
export interface NodeConfigPatch {
  readonly metadata: { readonly resourceVersion?: string; readonly labels?: Record<string, string | null>; readonly annotations: Record<string, string> }
  readonly spec?: { readonly taints: readonly NodeTaint[] }
}

const keyOf = (taint: NodeTaint): string => `${taint.key}:${taint.effect}`
const textOf = (taint: NodeTaint): string => `${taint.key}=${taint.value ?? ''}:${taint.effect}`

/**
 * The patch that brings a Node to the pool's labels and taints, or undefined if nothing is to do. What we put there is remembered on the Node itself;
 * of that, what is no longer wanted goes, unless somebody gave it another value since: then it is theirs. A kubelet's own labels never go.
 */
export function planNodeConfig(node: NodeObject, wanted: NodeConfig & { readonly began?: NodeConfig }): NodeConfigPatch | undefined {
  const before = remembered(node) ?? textsOf(wanted.began)
  const labels = node.metadata.labels ?? {}
  const wantedLabels: Record<string, string> = Object.fromEntries(wanted.labels.map(label => [label.key, label.value]))
  const changes: Record<string, string | null> = {}
  for (const [key, value] of Object.entries(wantedLabels)) if (labels[key] !== value) changes[key] = value
  for (const [key, value] of Object.entries(before.labels)) if (!Object.hasOwn(wantedLabels, key) && labels[key] === value && !KUBELETS_OWN_LABELS.has(key)) changes[key] = null

  const taints = node.spec?.taints ?? []
  const wantedKeys = new Set(wanted.taints.map(keyOf))
  const kept = taints.filter(taint => !wantedKeys.has(keyOf(taint)) && !before.taints.includes(textOf(taint)))
  const ours: NodeTaint[] = wanted.taints.map(taint => ({ key: taint.key, ...(taint.value === '' ? {} : { value: taint.value }), effect: taint.effect }))
  const after = [...kept, ...ours]
  const taintsChange = after.map(textOf).toSorted().join() !== taints.map(textOf).toSorted().join()

  const memory = JSON.stringify({ labels: wantedLabels, taints: wanted.taints.map(textOf) } satisfies Remembered)
  const nothingEver = wanted.labels.length === 0 && wanted.taints.length === 0 && node.metadata.annotations?.[NODE_CONFIG_ANNOTATION] === undefined
  if (Object.keys(changes).length === 0 && !taintsChange && (nothingEver || node.metadata.annotations?.[NODE_CONFIG_ANNOTATION] === memory)) return undefined
  return {
    metadata: {
      // Taints are replaced as one list, so nobody may have changed them since they were read.
      ...(node.metadata.resourceVersion === undefined ? {} : { resourceVersion: node.metadata.resourceVersion }),
      ...(Object.keys(changes).length > 0 ? { labels: changes } : {}),
      annotations: { [NODE_CONFIG_ANNOTATION]: memory },
    },
    ...(taintsChange ? { spec: { taints: after } } : {}),
  }
}

/** The patch that cordons a Node or opens it, or undefined if nothing is to do; the taint with which it began goes with either. */
export function planSchedulable({ metadata: { resourceVersion }, spec = {} }: NodeObject, schedulable: boolean): object | undefined {
  const { taints = [] } = spec, began = beginsCordoned({ taints })
  if (!began && (spec.unschedulable === true) === !schedulable) return undefined
  return {
    // Taints are replaced as one list, so nobody may have changed them since they were read.
    ...began && resourceVersion !== undefined && { metadata: { resourceVersion } },
    spec: { unschedulable: schedulable ? null : true, ...began && { taints: taints.filter(({ key }) => key !== BEGINS_CORDONED.key) } },
  }
}

/** The patch that closes a Node to pods on behalf of its pool, or opens it, or undefined if nothing is to do; whether it is cordoned is not touched. */
export function planOpen({ metadata: { resourceVersion }, spec: { taints = [] } = {} }: NodeObject, open: boolean): object | undefined {
  const others = taints.filter(({ key }) => key !== BEING_STOPPED.key)
  if ((others.length === taints.length) === open) return undefined
  const { key, effect } = BEING_STOPPED
  return { ...resourceVersion !== undefined && { metadata: { resourceVersion } }, spec: { taints: open ? others : [...others, { key, effect }] } }
}

function textsOf({ labels, taints }: NodeConfig = { labels: [], taints: [] }): Remembered {
  return { labels: Object.fromEntries(labels.map(({ key, value }) => [key, value])), taints: taints.map(textOf) }
}

/** Undefined where nothing was put there yet. */
function remembered(node: NodeObject): Remembered | undefined {
  const text = node.metadata.annotations?.[NODE_CONFIG_ANNOTATION]
  if (text === undefined) return undefined
  try {
    const { labels, taints } = JSON.parse(text) as Partial<Remembered>
    return { labels: labels ?? {}, taints: taints ?? [] }
  } catch {
    // Somebody wrote something else there: then nothing is known to be ours.
    return { labels: {}, taints: [] }
  }
}
