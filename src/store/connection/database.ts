import type { Writable } from 'node:stream'
import { Client, Pool, type ClientConfig, type PoolClient } from 'pg'

import type { Log } from '#ports/log.ts'
import { StoreUnavailable } from '#ports/store.ts'
import { isAftermath, isUnavailable, isWorthRepeating, unavailable } from './failures.ts'
import { CLIENT_TYPES, sentValues, statementName } from './statements.ts'

/** Something that runs one statement: a pool for reads, a connection inside a transaction. */
export interface Queryable {
  query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>
}

/** The connection of a transaction. */
export interface TransactionConnection extends Queryable {
  /** Sends a statement whose answer nobody needs before the commit: its failure is the commit's, and no round trip is waited for. */
  send<Row>(text: string, values?: readonly unknown[]): Sent<Row>
}

/** What was answered to a statement that was sent: nothing before the commit. */
export interface Sent<Row> { readonly rows: readonly Row[] }

/** Says where the database is, starting it where that is ours to do. */
export type Locate = () => Promise<ClientConfig>

const CONNECT_PATIENCE_MS = 3_000
/** Waiting for one of our own connections to be free is no sign that the database is away: a burst of writes takes its turn. */
const TURN_PATIENCE_MS = 15_000
/**
 * No statement of ours takes a second; one that takes this long waits for somebody who does not answer. The client gives up a little later than the server. A process that leaves a transaction alone for longer than its
 * leases last stands still, and others wait for what it has locked: they have it while their callers still wait.
 */
const PATIENCE = { statement_timeout: 30_000, query_timeout: 35_000, idle_in_transaction_session_timeout: 8_000, connectionTimeoutMillis: CONNECT_PATIENCE_MS, keepAlive: true }
/** Statements are sent without waiting for the ones before, so a transaction that asks for several things together pays one round trip. */
const PIPELINED = { pipeline: true }
/** A transaction that lost this often against others meets a fault, not bad luck. */
const REPEATS = 12

/**
 * The connections of this process. Statements are prepared once a connection, under a name made from their text. A lost connection is a
 * StoreUnavailable at once, while the database is being looked for (and started) behind it.
 */
export class Database implements Queryable {
  readonly #locate: Locate
  readonly #log: Log
  readonly #size: { readonly reads: number; readonly writes: number }
  #config: ClientConfig | undefined
  #pools: { readonly reads: Pool; readonly writes: Pool } | undefined
  #looking: Promise<void> | undefined
  #closed = false
  readonly #onLost: (() => void)[] = []

  /** Of a database of the user's own, which lets in a hundred, four servers can use one. */
  constructor(locate: Locate, log: Log, size = { reads: 8, writes: 12 }) {
    this.#locate = locate
    this.#log = log
    this.#size = size
  }

  /** Finds the database and makes the pool; safe to repeat. */
  connect(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** Connections broke: what is not written yet is gone if the database ended. */
  onLost(tell: () => void): void {
    this.#onLost.push(tell)
  }

  async query<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    try {
      const result = await this.#openPools().reads.query({ name: statementName(text), text, values: sentValues(text, values) })
      return result.rows as Row[]
    } catch (error) {
      throw this.#judge(error)
    }
  }

  /** One READ COMMITTED transaction, run again from its start when it lost against another. `work` must leave nothing behind but what it does here. */
  async transaction<T>(work: (connection: TransactionConnection) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(work)
      } catch (error) {
        if (!isWorthRepeating(error) || attempt === REPEATS) throw error
        await pause(Math.random() * 2 ** Math.min(attempt, 7))
      }
    }
  }

  /** A connection of its own, outside the pool: for LISTEN. The caller ends it. */
  async dedicated(): Promise<Client> {
    if (!this.#config) await this.connect()
    const client = new Client({ ...this.#config, ...PATIENCE })
    client.on('error', () => {}) // its owner sees the end
    try {
      await client.connect()
      return client
    } catch (error) {
      await client.end().catch(() => {}) // it never was whole
      throw this.#judge(error)
    }
  }

  /** Ends all connections; safe to repeat. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#looking?.catch(() => {}) // who asked for it was told
    if (this.#pools) await endAll(this.#pools)
  }

  async #attempt<T>(work: (connection: TransactionConnection) => Promise<T>): Promise<T> {
    let client: PoolClient
    try {
      client = await this.#openPools().writes.connect()
    } catch (error) {
      throw this.#judge(error)
    }
    let broken: unknown, failed: unknown
    const together = gathering(client)
    const run = async <Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> => {
      try {
        together()
        const result = await client.query({ name: statementName(text), text, values: sentValues(text, values) })
        return result.rows as Row[]
      } catch (error) {
        if (isUnavailable(error)) broken = error
        failed ??= error
        throw this.#judge(error)
      }
    }
    try {
      // Not waited for: it goes out with the first statement, and if it fails that one does too.
      run('begin').catch(() => {})
      const sent: Promise<unknown>[] = []
      const send = <Row>(text: string, values?: readonly unknown[]): Sent<Row> => {
        const said: { rows: readonly Row[] } = { rows: [] }
        const answer = run<Row>(text, values).then(rows => { said.rows = rows })
        answer.catch(() => {}) // the commit tells it
        sent.push(answer)
        return said
      }
      const result = await work({ query: run, send })
      // Of a transaction that failed the commit is a rollback; what failed first is thrown, as answers come in the order of the statements.
      await Promise.all([...sent, run('commit')])
      return result
    } catch (error) {
      // Statements that were sent behind the one that broke only say that the transaction is over.
      if (broken !== undefined) throw this.#judge(broken)
      await client.query('rollback').catch((failure: unknown) => (broken = failure))
      throw isAftermath(error) ? failed : error
    } finally {
      client.release(broken !== undefined)
    }
  }

  #openPools(): { readonly reads: Pool; readonly writes: Pool } {
    if (this.#closed) throw new StoreUnavailable('The store is closed')
    if (this.#pools) return this.#pools
    this.#lookAgain()
    throw unavailable(new Error('no database was found yet'))
  }

  /** Lost connections become StoreUnavailable, and the database is looked for; everything else stays what it is. */
  #judge(error: unknown): unknown {
    if (error instanceof StoreUnavailable || !isUnavailable(error)) return error
    this.#lookAgain()
    return unavailable(error)
  }

  #lookAgain(): void {
    for (const tell of this.#onLost) tell()
    if (this.#closed || this.#looking) return
    this.connect().catch((error: unknown) => this.#log.warn({ error }, 'Looking for the database did not succeed'))
  }

  async #look(): Promise<void> {
    const config = await this.#locate()
    if (this.#pools && sameAddress(config, this.#config)) return
    const old = this.#pools
    this.#config = { ...config, types: CLIENT_TYPES }
    // What a transaction asks for is found by the one index that is meant, whatever the values are: one plan of each statement is made, not one for each of its calls. A list may be of much or of little.
    this.#pools = { reads: this.#open(this.#size.reads, ''), writes: this.#open(this.#size.writes, '; set plan_cache_mode = force_generic_plan') }
    if (old) endAll(old).catch((error: unknown) => this.#log.debug({ error }, 'Closing the old connections did not succeed'))
  }

  #open(size: number, settings: string): Pool {
    const pool = new Pool({ ...this.#config, ...PATIENCE, ...PIPELINED, connectionTimeoutMillis: TURN_PATIENCE_MS, max: size, idleTimeoutMillis: 60_000 })
    pool.on('error', () => this.#lookAgain()) // an idle connection broke; the pool drops it
    pool.on('connect', client => {
      // A connection in use that breaks between two statements has nobody else to tell; its next statement fails.
      client.on('error', () => this.#lookAgain())
      // Tables grow from nothing to a hundred thousand rows faster than PostgreSQL looks at them anew, and each question of ours has its index.
      // What cannot be found otherwise looks costly by that, and is not worth being compiled.
      client.query(`set enable_seqscan = off; set jit = off${settings}`).catch(() => {}) // its first statement tells why
    })
    return pool
  }
}

async function endAll({ reads, writes }: { readonly reads: Pool; readonly writes: Pool }): Promise<void> {
  await Promise.all([reads.end(), writes.end()])
}

function sameAddress(one: ClientConfig, other: ClientConfig | undefined): boolean {
  return one.host === other?.host && one.port === other?.port && one.connectionString === other?.connectionString && one.password === other?.password
}

/** Statements that are sent in one turn go out as one write: each write of its own costs more than most statements do. */
function gathering(client: PoolClient): () => void {
  const { stream } = (client as PoolClient & { readonly connection: { readonly stream: Writable } }).connection
  let isGathering = false
  return () => {
    if (isGathering) return
    isGathering = true
    stream.cork()
    process.nextTick(() => {
      isGathering = false
      stream.uncork()
    })
  }
}

function pause(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  setTimeout(resolve, ms)
  return promise
}
