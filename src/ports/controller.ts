import type { WorkKind } from './store.ts'

/** One kind of work. A pass observes, decides, does at most one step, and is always safe to repeat; errors are retried with back-off. */
export interface Controller {
  readonly kind: WorkKind
  /** `lookAgainAt` (region's time) is when the answer can change by time alone; undefined where only an event can change it. */
  reconcile(id: string, signal: AbortSignal): Promise<{ lookAgainAt?: number | undefined }>
}
