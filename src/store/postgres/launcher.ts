import { spawn } from 'node:child_process'
import { open, readFile, rm, stat, truncate } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Log } from '#ports/log.ts'
import type { PostgresBinaries } from './binaries.ts'
import { initialiseDataFolder, POSTGRES_USER, postgresEnvironment } from './initialise.ts'
import { findPostmaster, stopPostmaster, type Postmaster } from './postmaster.ts'
import { prepareSocketFolder, removeSocketFolder, type PostgresFolders } from './state-folder.ts'
import { unprivilegedUser } from './traversable.ts'

/** How to reach a PostgreSQL: members of node-postgres' own configuration. */
export interface PostgresAddress {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
}

const START_PATIENCE_MS = 60_000
const LOG_LIMIT_BYTES = 8 * 1024 * 1024

/**
 * Keeps one PostgreSQL alive on a state folder. The server outlives us, and one that runs already (started by an earlier process, or by another one of
 * now) is adopted. All of it is safe to repeat and to do from several processes at once: PostgreSQL's own lock decides who started it.
 */
export class PostgresLauncher {
  readonly #binaries: PostgresBinaries
  readonly #folders: PostgresFolders
  readonly #log: Log
  #running: Promise<PostgresAddress> | undefined

  constructor(binaries: PostgresBinaries, folders: PostgresFolders, log: Log) {
    this.#binaries = binaries
    this.#folders = folders
    this.#log = log
  }

  /** Answers once the server accepts connections. Calls at the same time share one attempt. */
  ensureRunning(): Promise<PostgresAddress> {
    this.#running ??= this.#startOrAdopt(AbortSignal.timeout(START_PATIENCE_MS)).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Stops the server, whoever started it; not running is success. */
  async stop(): Promise<void> {
    await stopPostmaster(this.#folders.data)
    await removeSocketFolder(this.#folders)
  }

  async #startOrAdopt(signal: AbortSignal): Promise<PostgresAddress> {
    await initialiseDataFolder(this.#binaries, this.#folders, signal)
    for (;;) {
      const found = await findPostmaster(this.#folders.data)
      if (found?.ready) return this.#addressOf(found)
      if (!found) await this.#start(signal)
      await this.#pause(signal)
    }
  }

  /** Starts and waits until it is ready or has ended. An end is no error yet: after kill -9 the old one's children hold its memory for a moment. */
  async #start(signal: AbortSignal): Promise<void> {
    await rm(join(this.#folders.data, 'postmaster.pid'), { force: true })
    await prepareSocketFolder(this.#folders)
    await this.#trimLog()
    const where = this.#folders.socket
      ? ['-c', 'listen_addresses=', '-c', `unix_socket_directories=${this.#folders.socket}`, '-c', 'port=5432']
      : ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', `port=${await freeLoopbackPort()}`]
    this.#log.info({ data: this.#folders.data, version: this.#binaries.major }, 'Starting PostgreSQL')
    await using log = await open(this.#folders.log, 'a', 0o600)
    const child = spawn(join(this.#binaries.folder, 'postgres'), ['-D', this.#folders.data, ...where, ...settings(this.#binaries.major)], {
      ...unprivilegedUser(), detached: true, stdio: ['ignore', log.fd, log.fd], env: postgresEnvironment(), cwd: '/',
    })
    let ended = false
    child.once('exit', () => {
      ended = true
    })
    child.once('error', () => {
      ended = true
    })
    child.unref()
    while (!ended) {
      const found = await findPostmaster(this.#folders.data)
      if (found?.ready) return
      await this.#pause(signal)
    }
    await sleep(200)
  }

  async #pause(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw new Error(`PostgreSQL on ${this.#folders.data} did not start in ${START_PATIENCE_MS / 1000} s; its last words: ${await this.#lastWords()}`)
    await sleep(10)
  }

  #addressOf(found: Postmaster): PostgresAddress {
    return { host: found.socketFolder === '' ? '127.0.0.1' : found.socketFolder, port: found.port, user: POSTGRES_USER, password: this.#folders.password }
  }

  async #lastWords(): Promise<string> {
    const text = await readFile(this.#folders.log, 'utf8').catch(() => '')
    return text.trim().split('\n').slice(-5).join(' / ')
  }

  async #trimLog(): Promise<void> {
    const size = await stat(this.#folders.log).then(found => found.size, () => 0)
    if (size > LOG_LIMIT_BYTES) await truncate(this.#folders.log)
  }
}

/** Modest: some 20 MB while idle, yet of a hundred thousand nodes the indexes and most rows stay in memory, which is taken as they are touched (the operating system caches the rest). */
function settings(major: number): string[] {
  const values: Record<string, string> = {
    // After each checkpoint the first change of a page is logged as the whole page, which is most of what a large fleet logs that changes here and there; a database that was killed replays three quarters of a GB of it in some five seconds.
    shared_buffers: '512MB', max_connections: '100', work_mem: '8MB', maintenance_work_mem: '32MB', max_wal_size: '2GB', min_wal_size: '32MB',
    max_parallel_workers_per_gather: '0', jit: 'off', log_min_messages: 'warning', log_line_prefix: '%m ', autovacuum_naptime: '5s',
    // While a thousand nodes change a second, looking through tables again for every tenth row that changed is a tenth of the database's work, and each look makes all plans anew.
    autovacuum_analyze_scale_factor: '0.5',
    // Each look reads three hundred times so many rows. What plans need to know of our tables a small sample tells, and reading thirty thousand wide rows of each table again and again while a fleet grows was a tenth of the database's work.
    default_statistics_target: '10',
    // Who waits in a ring is told so after a tenth of a second, not after a whole one: until then all that came together with it waits, too.
    deadlock_timeout: '100ms',
    tcp_keepalives_idle: '30', idle_in_transaction_session_timeout: '60s',
    // Workers of its own for reading are 18's default; on two cores they cost memory and give nothing.
    ...(major >= 18 ? { io_method: 'sync' } : {}),
  }
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

async function freeLoopbackPort(): Promise<number> {
  const server = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A listening server has no port')
  const closed = Promise.withResolvers<void>()
  server.close(() => closed.resolve())
  await closed.promise
  return address.port
}
