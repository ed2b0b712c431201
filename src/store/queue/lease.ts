import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import type { ProcessLease } from '#ports/queue.ts'
import type { Database } from '../connection/database.ts'

/** Times on the lease are the database's, so that hosts need not agree on the time of day. */
export const LIVE_LEASE = 'expires_at > clock_timestamp()'

/**
 * Registers the process under its name, or starts a new epoch: what the same name held before is nobody's from now on. Processes that are dead for a day and hold
 * nothing are forgotten.
 */
export async function registerLease(database: Database, process: { name: string; ttlMs: number }): Promise<number> {
  const [row] = await database.query<{ epoch: number }>(
    `insert into lease (name, epoch, expires_at) values ($1, 1, clock_timestamp() + $2::float8 * interval '1 millisecond')
     on conflict (name) do update set epoch = lease.epoch + 1, expires_at = excluded.expires_at returning epoch`,
    [process.name, process.ttlMs],
  )
  if (!row) throw new Error('Registering a lease answered no row')
  // What work or watches still name stays: by its epoch it is told from a later process of that name.
  await database.query(
    `delete from lease l where expires_at < clock_timestamp() - interval '1 day'
       and not exists (select 1 from work where work.owner = l.name) and not exists (select 1 from watch where watch.owner = l.name)`,
  )
  return row.epoch
}

/** False where the lease is not ours any more: it lapsed, or somebody registered the name anew. A lapsed lease is never brought back. */
export async function renewLease(database: Database, lease: { name: string; epoch: number }, ttlMs: number): Promise<boolean> {
  const rows = await database.query(
    `update lease set expires_at = clock_timestamp() + $3::float8 * interval '1 millisecond' where name = $1 and epoch = $2 and ${LIVE_LEASE} returning 1`,
    [lease.name, lease.epoch, ttlMs],
  )
  return rows.length === 1
}

/** When the lease ends unless it is renewed, by the database's time; undefined where it is over. */
export async function leaseEnds(database: Database, lease: { name: string; epoch: number }): Promise<string | undefined> {
  const [row] = await database.query<{ ends: string }>(`select expires_at::text as ends from lease where name = $1 and epoch = $2 and ${LIVE_LEASE}`, [lease.name, lease.epoch])
  return row?.ends
}

/**
 * Renews a lease every second (or third of its time) until it is released or lost. Losing is judged by our own clock, counted from before the last renewal that
 * succeeded: whatever the database thinks, nobody else has taken over before we stop. `onTick` runs after each renewal, `onReleased` when it was given back.
 */
export class RenewedLease implements ProcessLease {
  readonly name: string
  readonly epoch: number
  readonly #database: Database
  readonly #clock: Clock
  readonly #log: Log
  readonly #ttlMs: number
  readonly #onReleased: () => Promise<void>
  readonly #lost = new AbortController()
  readonly #ended = new AbortController()
  readonly #renewing: Promise<void>
  #safeUntil: number

  constructor(parts: { database: Database; clock: Clock; log: Log; name: string; epoch: number; ttlMs: number; since: number; onTick: () => Promise<void>; onReleased: () => Promise<void> }) {
    this.name = parts.name
    this.epoch = parts.epoch
    this.#database = parts.database
    this.#clock = parts.clock
    this.#log = parts.log
    this.#ttlMs = parts.ttlMs
    this.#onReleased = parts.onReleased
    this.#safeUntil = parts.since + parts.ttlMs
    this.#renewing = this.#renew(parts.onTick)
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  isOver(): boolean {
    return this.#lost.signal.aborted || this.#clock.now() >= this.#safeUntil
  }

  /** Gives everything back at once: others need not wait for the lease to lapse. Nothing where it was lost. */
  async release(): Promise<void> {
    this.#ended.abort()
    await this.#renewing
    if (this.#lost.signal.aborted) return
    this.#lost.abort(new Error('the lease was released'))
    await this.#database.query('delete from lease where name = $1 and epoch = $2', [this.name, this.epoch])
    await this.#onReleased()
  }

  async #renew(onTick: () => Promise<void>): Promise<void> {
    const signal = this.#ended.signal
    const everyMs = Math.min(1_000, this.#ttlMs / 3)
    for (let waitMs = everyMs; ; ) {
      await this.#clock.sleep(Math.max(10, Math.min(waitMs, this.#safeUntil - this.#clock.now())), signal).catch(() => {}) // aborted: released
      if (signal.aborted) return
      const asked = this.#clock.now()
      if (asked >= this.#safeUntil) return this.#lose('it could not be renewed in time')
      try {
        const renewal = renewLease(this.#database, this, this.#ttlMs)
        const kept = await Promise.race([renewal, this.#clock.sleep(this.#safeUntil - asked, signal).then(() => undefined, () => undefined)])
        if (kept === false) return this.#lose('somebody else took the name, or it lapsed')
        if (kept === true) {
          this.#safeUntil = asked + this.#ttlMs
          waitMs = everyMs
          await onTick()
        } else renewal.catch(() => {}) // judged by the time that passed
      } catch (error) {
        this.#log.warn({ error, lease: this.name }, 'Renewing the lease did not succeed')
        waitMs = this.#ttlMs / 20
      }
    }
  }

  #lose(because: string): void {
    this.#log.error({ lease: this.name, because }, 'Losing the lease')
    this.#lost.abort(new Error(`the lease of ${this.name} was lost: ${because}`))
  }
}
