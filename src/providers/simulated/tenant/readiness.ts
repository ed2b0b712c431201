import type { Readiness, WorldNode } from '../world/things.ts'

/** When heartbeats can come: from an instant on, or not at all as things stand. `undefined` in `from`: its machine, link or kubelet is silent. */
export interface Hearing {
  readonly from: number | undefined
  /** From when the API answers; undefined: it does not, so nobody hears and nobody judges. */
  readonly apiFrom: number | undefined
  /** Somebody watches over heartbeats: the controller manager runs. */
  readonly judged: boolean
  /** Its kubelet speaks, and says that it is not ready. */
  readonly says?: string
}

/** The node as it is at the instant: turns that are due were made. Changes it in place; true if something changed. */
export function settleNode(node: WorldNode, now: number): boolean {
  let changed = false
  while (node.turns?.[0] && node.turns[0].at <= now) {
    const [turn, ...rest] = node.turns
    node.ready = turn!.to
    node.since = turn!.at
    if (rest.length > 0) node.turns = rest
    else delete node.turns
    changed = true
  }
  if (node.heardFrom !== undefined && node.heardFrom <= now) {
    node.heardSince = node.heardFrom
    delete node.heardFrom
    delete node.silentSince
    changed = true
  }
  return changed
}

/**
 * What will be said of the node as things stand, until something changes again. Kubernetes' rules: silence for the grace time makes a node Unknown, where the
 * controller manager runs and has itself watched for so long; a kubelet that is heard says what it is.
 */
export function foresee(node: WorldNode, hearing: Hearing, graceMs: number, now: number): void {
  settleNode(node, now)
  delete node.turns
  delete node.heardFrom
  const { from, apiFrom, judged, says } = hearing
  const speaks: Readiness = says === undefined ? 'True' : 'False'
  if (says === undefined) delete node.says
  else node.says = says
  if (from === undefined) node.silentSince ??= now
  if (apiFrom === undefined) return
  const heard = from === undefined ? undefined : Math.max(from, apiFrom)
  const turns: { to: Readiness; at: number }[] = []
  if (heard !== undefined && heard > now) node.heardFrom = heard
  if (heard !== undefined && heard <= now) delete node.silentSince
  if (node.silentSince !== undefined && judged && node.ready !== 'Unknown') {
    const at = Math.max(Math.max(node.silentSince, apiFrom) + graceMs, now)
    if (heard === undefined || at < heard) turns.push({ to: 'Unknown', at })
  }
  if (heard !== undefined && (turns.length > 0 || node.ready !== speaks)) turns.push({ to: speaks, at: Math.max(heard, now) })
  if (turns.length > 0) node.turns = turns
}

/** The next instant at which it changes by itself. */
export function nextTurn(node: WorldNode): number | undefined {
  const turn = node.turns?.[0]?.at
  return turn === undefined || node.heardFrom === undefined ? turn ?? node.heardFrom : Math.min(turn, node.heardFrom)
}
