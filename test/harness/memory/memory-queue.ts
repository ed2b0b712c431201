import { isDeepStrictEqual } from 'node:util'

import { CLUSTER_WATCHES, clusterWatch, LostWatch, watchedCluster, type ClaimedWork, type EndedWork, type ProcessLease, type Queue } from '#ports/queue.ts'
import type { Sight, SightKind, WorkKey } from '#ports/store.ts'
import { enqueueInto, type Tables, type WorkRow } from './tables.ts'

/** The round of all regions that are not run in order. */
const ALL = ''
/** As PostgreSQL's: for so many claims a round takes in what is new. */
const FIRST = { at: 0, end: Number.MAX_SAFE_INTEGER, claims: 0 }, OPEN_FOR_CLAIMS = 4

interface WatchRow {
  readonly epoch: number
  readonly owner: { readonly name: string; readonly epoch: number } | undefined
  readonly staleSince: number | undefined
}
type Held = { lease: ProcessLease; subject: string; epoch: number }
type RegionKey = WorkKey & { readonly region: string }
type SightRow = Omit<Sight, 'stale' | 'staleSince'> & { readonly subject: string; readonly key: RegionKey | undefined }

/** The queue over the test double's tables. Leases never lapse by time (tests step clocks by hours): `lapse` ends one. */
export class MemoryQueue implements Queue {
  readonly #tables: () => Tables
  readonly #realNow: () => number
  readonly #leases = new Map<string, { epoch: number; hosts: readonly string[]; lost: AbortController; alive: boolean }>()
  readonly #watches = new Map<string, WatchRow>()
  readonly #sights = new Map<string, SightRow>()
  /** By region: those above `at` and up to `end` are still to have their turn in this round. */
  readonly #rounds = new Map<string, typeof FIRST>()
  readonly #listeners = new Set<() => void>()

  constructor(tables: () => Tables, realNow: () => number) {
    this.#tables = tables
    this.#realNow = realNow
  }

  /** What is kept, over these tables, for processes that come after those of now: no lease is left. */
  copy(tables: () => Tables): MemoryQueue {
    const copy = new MemoryQueue(tables, this.#realNow)
    for (const [subject, watch] of this.#watches) copy.#watches.set(subject, watch)
    for (const [name, sight] of this.#sights) copy.#sights.set(name, sight)
    return copy
  }

  /** The process is dead to others from now on, as if it had not renewed in time. */
  lapse(name: string): void {
    const lease = this.#leases.get(name)
    if (!lease) return
    lease.alive = false
    lease.lost.abort(new Error('the lease lapsed'))
    this.announce()
  }

  announce(): void {
    for (const listener of this.#listeners) listener()
  }

  async register(process: { name: string; hosts: readonly string[]; ttlMs: number }): Promise<ProcessLease> {
    const earlier = this.#leases.get(process.name)
    earlier?.lost.abort(new Error('registered anew'))
    const lease = { epoch: (earlier?.epoch ?? 0) + 1, hosts: process.hosts, lost: new AbortController(), alive: true }
    this.#leases.set(process.name, lease)
    return {
      name: process.name, epoch: lease.epoch, lost: lease.lost.signal,
      release: async () => {
        if (this.#leases.get(process.name) === lease) this.lapse(process.name)
      },
    }
  }

  async outlives(process: { readonly name: string; readonly epoch: number }): Promise<boolean> {
    return this.#isAlive(process)
  }

  async claim(lease: ProcessLease, options: { limit: number; now: (region: string) => number; realNow: number }): Promise<readonly ClaimedWork[]> {
    const hosts = this.#leases.get(lease.name)?.hosts ?? []
    if (!this.#isAlive(lease)) return []
    const { work, regions } = this.#tables()
    for (const row of work.values()) if (row.owner && !this.#isAlive(row.owner)) put(work, { ...row, owner: undefined, dueAt: 0 })
    const isMine = (row: WorkRow) => {
      const region = regions.get(row.region), host = region?.settings['host']
      return region?.kind !== 'Simulated' && (typeof host !== 'string' || hosts.includes(host))
    }
    const due = [...work.values()]
      .filter(row => !row.owner && row.dueAt !== undefined && row.dueAt <= options.now(row.region) && (row.retryAt ?? 0) <= options.realNow && isMine(row))
    const taken = this.#inTurn(ALL, due).slice(0, options.limit)
    this.#moveOn(ALL, taken)
    for (const row of taken) put(work, { ...row, owner: { name: lease.name, epoch: lease.epoch }, dueAt: undefined, retryAt: undefined })
    return taken.map(workOf)
  }

  async due(lease: ProcessLease, { region, now, limit, inTurn }: { region: string; now: number; limit: number; inTurn?: boolean }): Promise<readonly ClaimedWork[]> {
    if (!this.#isAlive(lease)) return []
    const byName = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0)
    const due = [...this.#tables().work.values()].filter(row => row.region === region && !row.owner && row.dueAt !== undefined && row.dueAt <= now)
    const byTime = due.toSorted((one, other) => (one.dueAt ?? 0) - (other.dueAt ?? 0) || (inTurn === true ? one.ordinal - other.ordinal : byName(one.kind, other.kind) || byName(one.id, other.id)))
    if (inTurn !== true) return byTime.slice(0, limit).map(workOf)
    const told = this.#inTurn(region, due.filter(({ dueAt }) => dueAt === 0)), deadlines = byTime.filter(({ dueAt }) => dueAt !== 0), half = Math.ceil(limit / 2)
    const first = told.slice(0, Math.max(half, limit - deadlines.length))
    this.#moveOn(region, first)
    return [...first, ...deadlines.slice(0, Math.max(limit - half, limit - told.length))].map(workOf)
  }

  #inTurn(name: string, due: readonly WorkRow[]): readonly WorkRow[] {
    const isLater = this.#isLater(name)
    return due.toSorted((one, other) => isLater(one) - isLater(other) || one.ordinal - other.ordinal)
  }

  #isLater(name: string): (row: WorkRow) => number {
    const { at, end } = this.#rounds.get(name) ?? FIRST
    return ({ ordinal }) => Number(ordinal <= at || ordinal > end)
  }

  #moveOn(name: string, taken: readonly WorkRow[]): void {
    const last = taken.at(-1)
    if (!last) return
    const round = this.#isLater(name)(last) ? FIRST : this.#rounds.get(name) ?? FIRST, claims = round.claims + 1
    this.#rounds.set(name, { at: last.ordinal, claims, end: claims === OPEN_FOR_CLAIMS ? Math.max(...[...this.#tables().work.values()].map(({ ordinal }) => ordinal)) : round.end })
  }

  async complete(lease: ProcessLease, claimed: ClaimedWork, lookAgainAt: number | undefined): Promise<void> {
    const row = this.#mine(lease, claimed)
    if (!row) return
    const unchanged = row.generation === claimed.generation
    const { work } = this.#tables()
    if (unchanged && lookAgainAt === undefined) work.delete(`${row.kind}/${row.id}`)
    else put(work, { ...row, owner: undefined, failures: 0, error: undefined, dueAt: unchanged ? lookAgainAt : Math.min(row.dueAt ?? Number.POSITIVE_INFINITY, lookAgainAt ?? Number.POSITIVE_INFINITY) })
  }

  async completeMany(lease: ProcessLease, ended: readonly EndedWork[]): Promise<void> {
    const { work } = this.#tables()
    for (const { work: claimed, lookAgainAt } of ended) {
      const row = this.#runByUs(lease, claimed)
      if (row && isUnchanged(row, claimed) && lookAgainAt === undefined) work.delete(`${row.kind}/${row.id}`)
      else if (row) put(work, { ...row, failures: 0, error: undefined, dueAt: isUnchanged(row, claimed) ? lookAgainAt : row.dueAt })
    }
  }

  async fail(lease: ProcessLease, claimed: ClaimedWork, retryAt: number, error: string): Promise<void> {
    const row = this.#mine(lease, claimed)
    if (!row) return
    put(this.#tables().work, { ...row, owner: undefined, failures: row.failures + 1, error, dueAt: 0, retryAt: row.generation === claimed.generation ? retryAt : undefined })
  }

  async failUntil(lease: ProcessLease, claimed: ClaimedWork, dueAt: number, error: string): Promise<void> {
    const row = this.#runByUs(lease, claimed)
    if (row?.ordinal === claimed.ordinal && row.failures === claimed.failures) put(this.#tables().work, { ...row, failures: row.failures + 1, error, dueAt: isUnchanged(row, claimed) ? dueAt : row.dueAt })
  }

  async hasten(region: string, after: number): Promise<void> {
    const { work } = this.#tables()
    for (const [name, row] of work) if (row.region === region && !row.owner) {
      if ((row.dueAt ?? 0) > after) enqueueInto(work, row)
      else work.set(name, { ...row, generation: row.generation + 1 })
    }
    this.announce()
  }

  async nextDue(regions: readonly string[]): Promise<{ dueAt?: { region: string; at: number }[]; retryAt?: number }> {
    const waiting = [...this.#tables().work.values()].filter(row => !row.owner && row.dueAt !== undefined && regions.includes(row.region))
    const dueAt = regions.flatMap(region => {
      const times = waiting.filter(row => row.region === region && row.retryAt === undefined).map(row => row.dueAt ?? 0)
      return times.length > 0 ? [{ region, at: Math.min(...times) }] : []
    })
    const retries = waiting.flatMap(row => row.retryAt ?? [])
    return { ...(dueAt.length > 0 ? { dueAt } : {}), ...(retries.length > 0 ? { retryAt: Math.min(...retries) } : {}) }
  }

  async listen(onWork: () => void, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => resolve(), { once: true })
    this.#listeners.add(onWork)
    onWork()
    await promise
    this.#listeners.delete(onWork)
  }

  async enqueue(key: RegionKey): Promise<void> {
    enqueueInto(this.#tables().work, key)
    this.announce()
  }

  async claimWatch(lease: ProcessLease, subject: string): Promise<number | undefined> {
    if (!this.#isAlive(lease)) return undefined
    const clusterId = watchedCluster(subject)
    if (clusterId !== undefined && !this.#tables().clusters.has(clusterId)) return undefined
    const watch = this.#watches.get(subject)
    if (watch?.owner && isSame(watch.owner, lease)) return watch.epoch
    if (watch?.owner && this.#isAlive(watch.owner)) return undefined
    const epoch = (watch?.epoch ?? 0) + 1
    this.#watches.set(subject, { epoch, owner: { name: lease.name, epoch: lease.epoch }, staleSince: watch?.staleSince ?? this.#realNow() })
    return epoch
  }

  async releaseWatch(lease: ProcessLease, subject: string): Promise<void> {
    const watch = this.#watches.get(subject)
    if (watch?.owner && isSame(watch.owner, lease)) this.#watches.set(subject, { ...watch, owner: undefined, staleSince: watch.staleSince ?? this.#realNow() })
  }

  async putSights(watch: Held, sights: readonly (Pick<Sight, 'id' | 'fact' | 'seenAt' | 'observer'> & { kind: SightKind; key: RegionKey | undefined })[], gone: readonly { kind: SightKind; id: string; key: RegionKey | undefined }[] = []): Promise<void> {
    this.#hold(watch)
    for (const sight of sights) {
      const name = `${sight.kind}/${sight.id}`
      const fact: unknown = JSON.parse(JSON.stringify(sight.fact ?? null))
      const kept = this.#sights.get(name)
      if (kept?.subject === watch.subject && isDeepStrictEqual(kept.fact, fact)) continue
      this.#sights.set(name, { kind: sight.kind, id: sight.id, fact, seenAt: sight.seenAt, observer: sight.observer, subject: watch.subject, key: sight.key })
      if (sight.key) await this.enqueue(sight.key)
    }
    for (const sight of gone) {
      const name = `${sight.kind}/${sight.id}`
      if (this.#sights.get(name)?.subject !== watch.subject) continue
      this.#sights.delete(name)
      if (sight.key) await this.enqueue(sight.key)
    }
  }

  async markWatch(watch: Held, staleSince: number | undefined, quietly = false): Promise<void> {
    const row = this.#hold(watch)
    if ((row.staleSince === undefined) === (staleSince === undefined)) return
    this.#watches.set(watch.subject, { ...row, staleSince })
    if (!quietly) for (const sight of this.#sights.values()) if (sight.subject === watch.subject && sight.key) await this.enqueue(sight.key)
  }

  /** Watches and sights of clusters that a transaction forgot. */
  forgetWatches(clusterIds: readonly string[]): void {
    const subjects = new Set(clusterIds.flatMap(id => CLUSTER_WATCHES.map(what => clusterWatch(what, id))))
    for (const subject of subjects) this.#watches.delete(subject)
    for (const [name, sight] of this.#sights) if (subjects.has(sight.subject)) this.#sights.delete(name)
  }

  /** What was seen of regions that a transaction forgot. */
  forgetRegions(regions: readonly string[]): void {
    for (const [name, sight] of this.#sights) if (regions.some(region => sight.key?.region === region || sight.subject.split('/')[1] === region)) this.#sights.delete(name)
  }

  /** Subjects of all watches there are. */
  watched(): readonly string[] {
    return [...this.#watches.keys()]
  }

  sights(kind: SightKind, ids: readonly string[]): readonly Sight[] {
    return ids.flatMap(id => {
      const row = this.#sights.get(`${kind}/${id}`)
      if (!row) return []
      const watch = this.#watches.get(row.subject)
      const stale = watch?.staleSince !== undefined || !watch?.owner || !this.#isAlive(watch.owner)
      const { subject: _subject, key: _key, ...sight } = row
      return [{ ...sight, stale, ...(stale && watch?.staleSince !== undefined ? { staleSince: watch.staleSince } : {}) }]
    })
  }

  #hold(watch: Held): WatchRow {
    const row = this.#watches.get(watch.subject)
    if (!row?.owner || row.epoch !== watch.epoch || !isSame(row.owner, watch.lease) || !this.#isAlive(watch.lease)) throw new LostWatch(`The watch ${watch.subject} is not this process's any more`)
    return row
  }

  #mine(lease: ProcessLease, claimed: ClaimedWork): WorkRow | undefined {
    const row = this.#tables().work.get(`${claimed.kind}/${claimed.id}`)
    return row?.owner && isSame(row.owner, lease) && this.#isAlive(lease) ? row : undefined
  }

  #runByUs(lease: ProcessLease, claimed: ClaimedWork): WorkRow | undefined {
    const row = this.#tables().work.get(`${claimed.kind}/${claimed.id}`)
    return row && !row.owner && this.#isAlive(lease) ? row : undefined
  }

  #isAlive(owner: { readonly name: string; readonly epoch: number }): boolean {
    const lease = this.#leases.get(owner.name)
    return lease !== undefined && lease.alive && lease.epoch === owner.epoch
  }
}

function isSame(one: { readonly name: string; readonly epoch: number }, other: { readonly name: string; readonly epoch: number }): boolean {
  return one.name === other.name && one.epoch === other.epoch
}

const workOf = ({ kind, id, region, ordinal, generation, failures }: WorkRow): ClaimedWork => ({ kind, id, region, ordinal, generation, failures })

function isUnchanged(row: WorkRow, claimed: ClaimedWork): boolean {
  return row.ordinal === claimed.ordinal && row.generation === claimed.generation
}

function put(work: Map<string, WorkRow>, row: WorkRow): void {
  work.set(`${row.kind}/${row.id}`, row)
}
