/** What a call or a happening concerns, as a fault may name it. */
export interface Target {
  readonly kind: string
  readonly id: string
  readonly name?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** Other ids by which it is known, e.g. the node that a machine is. */
  readonly alsoIds?: readonly string[] | undefined
}

export const EFFECTS = ['fail', 'hang', 'slow', 'lie', 'stutter', 'half', 'double', 'protected', 'silent'] as const
export type EffectType = (typeof EFFECTS)[number]

/** A fault as it was ordered. Times are epoch ms of the region; `for` is ms. */
export interface FaultOrder {
  readonly port: string
  readonly call?: string
  readonly target?: { readonly kind?: string; readonly id?: string; readonly name?: string; readonly label?: string; readonly nth?: number }
  readonly effect: { readonly type: EffectType; readonly code?: string; readonly message?: string; readonly for?: number }
  readonly times?: number
  readonly from?: number
  readonly until?: number
}

export interface Fault extends FaultOrder {
  readonly id: string
  readonly injectedAt: number
  hits: number
  /** How often something of its target came by, for `nth`. */
  passed: number
  /** Since when each thing that it holds hangs. */
  hangs?: Record<string, number>
  /** What it goes on answering for each thing that it lies about, as JSON. */
  lies?: Record<string, string>
}

/** How often a fault strikes that only stutters, where nobody says it. */
const STUTTERS = 3

export function timesOf({ times, effect }: FaultOrder): number {
  return times ?? (effect.type === 'stutter' ? STUTTERS : Infinity)
}

export function isActive(fault: Fault, at: number): boolean {
  return fault.hits < timesOf(fault) && (fault.from ?? fault.injectedAt) <= at && at < (fault.until ?? Infinity)
}

export function concerns({ target: wanted }: FaultOrder, target: Target): boolean {
  if (!wanted) return true
  if (wanted.kind !== undefined && wanted.kind !== target.kind) return false
  if (wanted.id !== undefined && wanted.id !== target.id && !target.alsoIds?.includes(wanted.id)) return false
  if (wanted.name !== undefined && wanted.name !== target.name) return false
  if (wanted.label === undefined) return true
  const [key = '', value] = wanted.label.split(/=(.*)/s)
  const has = target.labels?.[key]
  return has !== undefined && (value === undefined || has === value)
}
