import type { NodeFacts, NodeSpec } from '../node/record.ts'
import type { NodePoolSpec, Taint } from './record.ts'

type Wish = Pick<NodePoolSpec, 'labels' | 'taints' | 'autoSyncDisabled'>

/** By labels and taints that begin so nodes are marked for ourselves, and what they say is believed: a node is closed, or opened again, until none is left. */
export const OURS = 'edgehold/'

/**
 * With this taint a kubelet registers a node that begins cordoned: it cannot set spec.unschedulable itself, and pods would come before anybody else can. It stands for that until it is set, and goes with it.
 */
export const BEGINS_CORDONED: Taint = { key: 'edgehold/begins-cordoned', value: '', effect: 'NoSchedule' }

/** With this taint a pool keeps pods off a node that it is about to switch off: a cordon would be the same as one of somebody else's, which is to outlast it. */
export const BEING_STOPPED: Taint = { key: 'edgehold/being-stopped', value: '', effect: 'NoSchedule' }

export function beginsCordoned({ taints }: { readonly taints: readonly { readonly key: string }[] }): boolean {
  return taints.some(({ key }) => key === BEGINS_CORDONED.key)
}

/**
 * What a node is to carry: what its pool wants, and what is its own, which goes before where both name the same. Keys that are ours are nobody's wish: pools have some from before they were refused, and what was put
 * on for them is taken off.
 */
export function wishOf(pool: Wish, { carries }: Pick<NodeSpec, 'carries'>): Wish {
  if (!carries) return withoutOurs(pool)
  const { labels, taints } = carries
  return withoutOurs({
    ...pool,
    labels: [...pool.labels.filter(({ key }) => labels.every(own => own.key !== key)), ...labels],
    taints: [...pool.taints.filter(({ key, effect }) => taints.every(own => own.key !== key || own.effect !== effect)), ...taints],
  })
}

function withoutOurs(wish: Wish): Wish {
  const isFree = ({ key }: { readonly key: string }) => !key.startsWith(OURS)
  return wish.labels.every(isFree) && wish.taints.every(isFree) ? wish : { ...wish, labels: wish.labels.filter(isFree), taints: wish.taints.filter(isFree) }
}

/** Labels and taints that a pool wants on its nodes, as canonical JSON: the same wish gives the same text, whatever its order. */
export function configText({ labels, taints }: Pick<Wish, 'labels' | 'taints'>): string {
  return JSON.stringify([
    labels.map(({ key, value }) => `${key}=${value}`).sort(),
    taints.map(({ key, value, effect }) => `${key}=${value}:${effect}`).sort(),
  ])
}

/** What such a text says; nothing where there is none. Keys, values and effects hold neither `=` nor `:`. */
export function configOf(text: string | undefined): Pick<Wish, 'labels' | 'taints'> {
  const [labels, taints] = JSON.parse(text ?? NOTHING) as readonly [readonly string[], readonly string[]]
  const pairOf = (pair: string): { readonly key: string; readonly value: string } => ({ key: pair.slice(0, pair.indexOf('=')), value: pair.slice(pair.indexOf('=') + 1) })
  return {
    labels: labels.map(pairOf),
    taints: taints.map(taint => ({ ...pairOf(taint.slice(0, taint.lastIndexOf(':'))), effect: taint.slice(taint.lastIndexOf(':') + 1) as Taint['effect'] })),
  }
}

const NOTHING = configText({ labels: [], taints: [] })

/** True if the last wish that was put on the Node object is not the present one; a pool that never wished anything is not awaited, but where a kubelet was told otherwise. Without synchronisation a node gets the wish of its beginning, once. */
export function isAwaited(facts: Pick<NodeFacts, 'configured' | 'begins'>, wish: Wish): boolean {
  if (wish.autoSyncDisabled) return facts.configured === undefined
  return (facts.configured ?? NOTHING) !== configText(wish) || (facts.configured === undefined && facts.begins !== undefined)
}

/** True if the Node object is without something that the pool wants on it, by what it carries or by what was last put on it. */
export function isOutOfSync(facts: Pick<NodeFacts, 'configured' | 'begins'>, object: Parameters<typeof isCarried>[0], wish: Wish): boolean {
  if (wish.autoSyncDisabled && facts.configured !== undefined) return false
  return !isCarried(object, wish) || (facts.configured !== undefined && isAwaited(facts, wish))
}

/** True if the Node object carries every label and taint that the pool wants; somebody may have taken one off. */
export function isCarried(object: { readonly labels: Readonly<Record<string, string>>; readonly taints: readonly Taint[] }, { labels, taints }: Pick<Wish, 'labels' | 'taints'>): boolean {
  return labels.every(label => object.labels[label.key] === label.value)
    && taints.every(taint => object.taints.some(other => other.key === taint.key && (other.value ?? '') === taint.value && other.effect === taint.effect))
}
