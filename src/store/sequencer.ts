import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import type { Database } from './connection/database.ts'
import { LOCK_SEQUENCER, NUMBERED_AT_ONCE, NUMBER_WAITING, type HistoryAdded } from './operations/add-history.ts'
import { sumUpCosts } from './operations/tally-costs.ts'
import { sumUpTally } from './operations/tally-nodes.ts'
import type { WakeUps } from './queue/wake-ups.ts'

/** Rows of a process that died between its commit and its numbering wait this long. */
const SWEEP_MS = 2_000
/** After so many rows of history, of which each moved one node at most, and writes of the ledger, the tallies are summed up. */
const SUM_UP_AFTER = 1_000

/**
 * Gives positions to committed rows of the history, in the order of their insertion. Whoever holds the lock of the one row of `sequencer` is the sequencer,
 * and what it numbers is committed before the next one begins: so a reader that has seen position n will never meet a row below n. (A plain sequence
 * gives numbers before the commit, and rows that commit late would appear below what was read already.) Every process numbers after its own commits.
 */
export class Sequencer {
  readonly #database: Database
  readonly #log: Log
  /** Those who follow the history. */
  readonly #followers: WakeUps
  readonly #ended = new AbortController()
  readonly #sweeping: Promise<void>
  #running: Promise<void> | undefined
  /** How often it was woken, and how many of these wakes a pass that began later has answered. */
  #woken = 0
  #answered = 0
  /** Rows numbered, and writes of the ledger, since the tallies were summed up; what earlier processes left is not known. */
  #untallied = SUM_UP_AFTER
  #passed = Promise.withResolvers<void>()

  constructor(database: Database, clock: Clock, log: Log, followers: WakeUps) {
    this.#database = database
    this.#log = log
    this.#followers = followers
    this.#sweeping = this.#sweep(clock)
  }

  /** After a commit that added history, or wrote to the ledger so often. Many calls at once are one pass. */
  added({ rows, isNumbered }: HistoryAdded, ledgerWrites: number): void {
    this.#untallied += ledgerWrites
    if (rows > 0 && !isNumbered()) return this.#wake()
    if (rows > 0) this.#followers.announce()
    this.#untallied += rows
    if (this.#untallied >= SUM_UP_AFTER && rows + ledgerWrites > 0) this.#wake()
  }

  #wake(): void {
    this.#woken += 1
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** What this process committed before this call is numbered when it resolves (or numbering failed, and the next sweep does it). */
  async settled(): Promise<void> {
    const wakes = this.#woken
    while (this.#running && this.#answered < wakes) await this.#passed.promise
  }

  async close(): Promise<void> {
    this.#ended.abort()
    await this.#sweeping
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#answered < this.#woken) {
      const wakes = this.#woken
      try {
        for (let numbered = NUMBERED_AT_ONCE; numbered === NUMBERED_AT_ONCE; ) {
          numbered = await this.#number()
        }
      } catch (error) {
        this.#log.debug({ error }, 'Numbering the history did not succeed; the next sweep does it')
      }
      this.#answered = wakes
      this.#passed.resolve()
      this.#passed = Promise.withResolvers()
    }
  }

  async #number(): Promise<number> {
    const [row] = await this.#database.transaction(async connection => {
      connection.send(LOCK_SEQUENCER)
      // Begins, and sees, after the lock is there.
      return connection.query<{ numbered: number }>(NUMBER_WAITING)
    })
    if (!row) throw new Error('E-SEQUENCER: a count had no row')
    if (row.numbered > 0) this.#followers.announce()
    this.#untallied += row.numbered
    if (this.#untallied >= SUM_UP_AFTER) await this.#sumUp()
    return row.numbered
  }

  /** What was not summed up is, with the next rows. Each by itself: who holds one tally and waits for the other would meet a start, which counts both anew, in a ring. */
  async #sumUp(): Promise<void> {
    try {
      await this.#database.transaction(sumUpCosts)
      await this.#database.transaction(sumUpTally)
      this.#untallied = 0
    } catch (error) {
      this.#log.debug({ error }, 'Summing up the tallies did not succeed; it is tried with the next rows')
    }
  }

  async #sweep(clock: Clock): Promise<void> {
    const { signal } = this.#ended
    let known: number | undefined
    while (!signal.aborted) {
      try {
        const [stand] = await this.#database.query<{ last: number; waiting: boolean }>('select last, exists (select 1 from status_change where position is null) as waiting from sequencer')
        if (stand?.waiting) this.#wake()
        // Of a process that died between its numbering and its word.
        if (stand && stand.last !== known) this.#followers.tell()
        known = stand?.last
      } catch (error) {
        this.#log.debug({ error }, 'Looking for unnumbered history did not succeed')
      }
      await clock.sleep(SWEEP_MS, signal).catch(() => {}) // aborted: the loop ends
    }
  }
}
