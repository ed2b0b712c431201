import { randomBytes } from 'node:crypto'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { Client } from 'pg'

import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import { openStore, makeLauncher, type OpenStore } from '../open.ts'
import type { PostgresBinaries } from '../postgres/binaries.ts'
import type { PostgresLauncher } from '../postgres/launcher.ts'

export const CLOCK: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, signal ? { signal } : {})
  },
}

export const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT }

/** Debian's PostgreSQL 15, the oldest version that Edgehold takes, where it is installed. */
export async function debianBinaries(): Promise<PostgresBinaries | undefined> {
  const folder = '/usr/lib/postgresql/15/bin'
  return access(join(folder, 'postgres')).then(() => ({ folder, major: 15 }), () => undefined)
}

/** A PostgreSQL of a test file's own, below a state folder that goes with it. */
export interface ScratchPostgres {
  readonly stateDir: string
  readonly launcher: PostgresLauncher
  /** A store on a database of its own, copied from one that was migrated once; `settings` hold for every session on it, as `name = value`. */
  openCopy(settings?: readonly string[]): Promise<OpenStore & { readonly databaseUrl: string }>
  /** Another process's store on such a database. */
  openBeside(databaseUrl: string): Promise<OpenStore>
  /** One statement as superuser in a database. */
  run(databaseUrl: string, statement: string): Promise<readonly Record<string, unknown>[]>
  end(): Promise<void>
}

export async function scratchPostgres(binaries?: PostgresBinaries): Promise<ScratchPostgres> {
  const stateDir = await mkdtemp(join(tmpdir(), 'edgehold-store-'))
  const launcher = await makeLauncher({ stateDir, log: SILENT, ...(binaries ? { binaries } : {}) })
  const address = await launcher.ensureRunning()
  const url = (database: string) => `postgresql://${address.user}:${encodeURIComponent(address.password)}@${address.host.startsWith('/') ? '' : `${address.host}:${address.port}`}/${database}${address.host.startsWith('/') ? `?host=${address.host}` : ''}`
  const run = async (databaseUrl: string, statement: string) => {
    const client = new Client({ connectionString: databaseUrl })
    client.on('error', () => {}) // tests end the server under it
    await client.connect()
    try {
      return (await client.query(statement)).rows as Record<string, unknown>[]
    } finally {
      await client.end()
    }
  }
  const opened: OpenStore[] = []
  await run(url('postgres'), 'create database template_for_tests')
  const template = await openStore({ stateDir, databaseUrl: url('template_for_tests'), log: SILENT, clock: CLOCK })
  await template.close()
  return {
    stateDir,
    launcher,
    run,
    openCopy: async (settings = []) => {
      const name = `copy_${randomBytes(6).toString('hex')}`
      await run(url('postgres'), `create database ${name} template template_for_tests`)
      for (const setting of settings) await run(url('postgres'), `alter database ${name} set ${setting}`)
      const store = await openStore({ stateDir, databaseUrl: url(name), log: SILENT, clock: CLOCK })
      opened.push(store)
      return { ...store, databaseUrl: url(name) }
    },
    openBeside: databaseUrl => openStore({ stateDir, databaseUrl, log: SILENT, clock: CLOCK }),
    end: async () => {
      for (const store of opened) await store.close()
      await launcher.stop()
      await rm(stateDir, { recursive: true, force: true })
    },
  }
}
