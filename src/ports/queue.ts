import type { Sight, SightKind, WorkKey } from './store.ts'

/**
 * The queue and the leases of processes. One lease row a process; it owns the process's claims and watches. A process whose lease lapsed owns nothing:
 * its completions and sights are refused (fenced by epoch). Lease times are real time; `dueAt` is the region's, `retryAt` real.
 */
export interface Queue {
  /** Registers the process, or starts a new epoch for it. `hosts` are the hosts whose local regions' work it may claim. */
  register(process: { name: string; hosts: readonly string[]; ttlMs: number }): Promise<ProcessLease>
  /** Ends when it is known whether that process, in that epoch, lives: true when it renewed its lease after it was asked, false when that is over. */
  outlives(process: { readonly name: string; readonly epoch: number }): Promise<boolean>
  /**
   * Keys that are due, at most `limit`, none that another live process runs; one key never runs twice at once. In turn: however much becomes due all the time, a key that is due is claimed before any
   * other is claimed again and again. Those of simulated regions are left to `due`.
   */
  claim(lease: ProcessLease, options: { limit: number; now: (region: string) => number; realNow: number }): Promise<readonly ClaimedWork[]>
  /**
   * Keys of one region that are due at `now`, at most `limit` of them, in the order (due, kind, id), or `inTurn` as above: the way in which a region with its own time is run, by the one process that
   * holds its watch. Nothing is written: a key stays due, and is answered again, until its end is written (`completeMany`, `failUntil`), so of a process that dies nothing is left to be freed.
   */
  due(lease: ProcessLease, options: { region: string; now: number; limit: number; inTurn?: boolean }): Promise<readonly ClaimedWork[]>
  /** Ends the run of a claimed key. The key stays if it was enqueued again meanwhile or `lookAgainAt` is given; otherwise its row goes. */
  complete(lease: ProcessLease, work: ClaimedWork, lookAgainAt: number | undefined): Promise<void>
  /** The same for keys that were due in a region that is run in order, many at once; one that was enqueued meanwhile stays due. */
  completeMany(lease: ProcessLease, ended: readonly EndedWork[]): Promise<void>
  /** Ends a failed run of a claimed key; runs again at `retryAt` (real time). */
  fail(lease: ProcessLease, work: ClaimedWork, retryAt: number, error: string): Promise<void>
  /** The same in a region that is run in order; runs again at `dueAt` (region's time), or at once if it was enqueued meanwhile. */
  failUntil(lease: ProcessLease, work: ClaimedWork, dueAt: number, error: string): Promise<void>
  /**
   * Keys of a region that is run in order which are due later than `after` are due now, with their back-off begun anew: what so many of them wait for may be had again, and nobody can tell whose. What is due sooner
   * looks by itself, and what is being passed over is passed over once more.
   */
  hasten(region: string, after: number): Promise<void>
  /** The soonest instants at which something becomes due, so that the worker need not poll; undefined if nothing waits. */
  nextDue(regions: readonly string[]): Promise<{ dueAt?: { region: string; at: number }[]; retryAt?: number }>
  /** Calls back after somebody enqueued (coalesced), until aborted; reconnects by itself. With the regions in which, where that is known. */
  listen(onWork: (regions?: readonly string[]) => void, signal: AbortSignal): Promise<void>
  enqueue(key: WorkKey & { region: string }): Promise<void>
  /**
   * Takes the watch of a subject (e.g. `nodes/<clusterId>`) if nobody alive has it; answers its epoch, or undefined. Safe to repeat for one's own. A watch of a cluster
   * goes, with what it saw, in the transaction that forgets the cluster, and is nobody's from then on.
   */
  claimWatch(lease: ProcessLease, subject: string): Promise<number | undefined>
  releaseWatch(lease: ProcessLease, subject: string): Promise<void>
  /** Writes sights that changed and enqueues the keys, in one transaction, only while the watch is ours at that epoch (else throws LostWatch). Unchanged facts are not written. */
  putSights(watch: { lease: ProcessLease; subject: string; epoch: number }, sights: readonly (Pick<Sight, 'id' | 'fact' | 'seenAt' | 'observer'> & { kind: SightKind; key: (WorkKey & { region: string }) | undefined })[], gone?: readonly { kind: SightKind; id: string; key: (WorkKey & { region: string }) | undefined }[]): Promise<void>
  /** Says that a watch sees nothing any more since then (its sights read as stale), or sees again (undefined). Wakes the keys of all it ever saw, unless `quietly`: nobody read them meanwhile. */
  markWatch(watch: { lease: ProcessLease; subject: string; epoch: number }, staleSince: number | undefined, quietly?: boolean): Promise<void>
}

export interface ProcessLease {
  readonly name: string
  readonly epoch: number
  /** Aborted when the lease could not be renewed in time; everything this process does under it must stop. */
  readonly lost: AbortSignal
  /** Its time is over by our own clock, though nobody was told yet: so it is right after the process stood still. Absent where leases have no time. */
  isOver?(): boolean
  release(): Promise<void>
}

/** A key that is to be run, claimed or, in a region that is run in order, only due. */
export interface ClaimedWork extends WorkKey {
  readonly region: string
  /** Of its row, and how often it was enqueued since that is there: by both the end of a run knows whether it must run again, also where the row went meanwhile and another one came. */
  readonly ordinal: number
  readonly generation: number
  readonly failures: number
}

export interface EndedWork {
  readonly work: ClaimedWork
  readonly lookAgainAt: number | undefined
}

/** The watches that a cluster has; their subjects are `<what>/<clusterId>`. */
export const CLUSTER_WATCHES = ['nodes', 'health'] as const

export function clusterWatch(what: (typeof CLUSTER_WATCHES)[number], clusterId: string): string {
  return `${what}/${clusterId}`
}

/** The cluster whose watch has this subject; undefined where it is no cluster's. */
export function watchedCluster(subject: string): string | undefined {
  const [what = '', clusterId] = subject.split('/')
  return (CLUSTER_WATCHES as readonly string[]).includes(what) ? clusterId : undefined
}

export class LostWatch extends Error {
  readonly kind = 'LostWatch'
}
