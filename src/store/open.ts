import type { ClientConfig } from 'pg'

import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import type { Queue } from '#ports/queue.ts'
import type { Store } from '#ports/store.ts'
import { Database, type Locate } from './connection/database.ts'
import { loadMasterKey } from './encryption/master-key.ts'
import { migrate, refuseOtherVersion } from './migrations/migrate.ts'
import { findEmbeddedBinaries, type PostgresBinaries } from './postgres/binaries.ts'
import { PostgresLauncher } from './postgres/launcher.ts'
import { prepareStateFolder } from './postgres/state-folder.ts'
import { PostgresQueue } from './queue/postgres-queue.ts'
import { HISTORY, WakeUps } from './queue/wake-ups.ts'
import { PostgresStore } from './postgres-store.ts'
import { Sequencer } from './sequencer.ts'

export interface StoreOptions {
  /** Holds the secrets, and the database unless there is a `databaseUrl`. */
  readonly stateDir: string
  /** A PostgreSQL of the user's own, 15 or newer, not behind a transaction pooler. */
  readonly databaseUrl?: string | undefined
  /** Base64 of 32 bytes; without it a file in the state folder. */
  readonly masterKey?: string | undefined
  /** Other binaries than the embedded ones. */
  readonly binaries?: PostgresBinaries
  /** For who only looks something up: a database of another version is refused with a sentence, and not changed. */
  readonly asItIs?: true
  readonly log: Log
  readonly clock: Clock
}

export interface OpenStore {
  readonly store: Store
  readonly queue: Queue
  /** Resolves while the database answers; throws StoreUnavailable, or what stands in the way, otherwise. */
  readonly ready: () => Promise<void>
  /** One statement on the database, for what is kept apart from every record. */
  readonly query: <Row>(text: string, values?: readonly unknown[]) => Promise<Row[]>
  /** Ends this process's connections. Our own database goes on running, as others may use it. */
  readonly close: () => Promise<void>
  /** Stops our own database; nothing where it is the user's. */
  readonly stopDatabase: () => Promise<void>
}

/** Finds or starts the database, brings its tables up to date (but `asItIs`), and opens store and queue on it. Throws with a sentence where that cannot be. */
export async function openStore(options: StoreOptions): Promise<OpenStore> {
  const { log, clock } = options
  const key = await loadMasterKey(options.stateDir, options.masterKey)
  const launcher = options.databaseUrl === undefined ? await makeLauncher(options) : undefined
  const database = new Database(launcher ? locateOwn(launcher) : locateGiven(options.databaseUrl ?? ''), log)
  try {
    await database.connect()
    await (options.asItIs ? refuseOtherVersion(database) : migrate(database, log, clock))
  } catch (error) {
    await database.close()
    throw error
  }
  const wakeUps = new WakeUps(database, clock, log)
  const queue = new PostgresQueue(database, clock, log, wakeUps)
  const followers = new WakeUps(database, clock, log, HISTORY)
  const sequencer = new Sequencer(database, clock, log, followers)
  const store = new PostgresStore({ database, key, sequencer, followers, announce: regions => queue.announce(regions), realNow: () => clock.now() })
  return {
    store,
    queue,
    ready: async () => {
      await database.query('select 1')
    },
    query: (text, values) => database.query(text, values),
    close: async () => {
      wakeUps.close()
      followers.close()
      await sequencer.close()
      await database.close()
    },
    stopDatabase: async () => launcher?.stop(),
  }
}

/** The launcher of the database in a state folder, for those who stop it without opening it. */
export async function makeLauncher(options: Pick<StoreOptions, 'stateDir' | 'binaries' | 'log'>): Promise<PostgresLauncher> {
  const folders = await prepareStateFolder(options.stateDir)
  return new PostgresLauncher(options.binaries ?? (await findEmbeddedBinaries(folders.state)), folders, options.log)
}

/** The database of every fresh server; ours alone where we made the server. */
function locateOwn(launcher: PostgresLauncher): Locate {
  return async (): Promise<ClientConfig> => ({ ...(await launcher.ensureRunning()), database: 'postgres' })
}

function locateGiven(databaseUrl: string): Locate {
  return async () => ({ connectionString: databaseUrl })
}
