import type { WorkKind } from './store.ts'

/** One kind of work. A pass observes, decides, does at most one step, and is always safe to repeat; errors are retried with back-off. */
export interface Controller {
  readonly kind: WorkKind
  /** `lookAgainAt` (region's time) is when the answer can change by time alone; undefined where only an event can change it. */
  reconcile(id: string, signal: AbortSignal): Promise<{ lookAgainAt?: number | undefined }>
  /**
   * As `reconcile` of each of these keys, in this order, with shared looks and writes; what befalls one of them is in its own outcome, and a key without one needs a pass of
   * its own. Absent where there is nothing to share. Throws only what befalls all of them.
   */
  reconcileMany?(ids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, PassOutcome>>
}

export type PassOutcome = { readonly lookAgainAt?: number | undefined } | { readonly error: unknown }
