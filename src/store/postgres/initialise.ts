import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, chown, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

import type { PostgresBinaries } from './binaries.ts'
import { isAlive } from './postmaster.ts'
import type { PostgresFolders } from './state-folder.ts'
import { unprivilegedUser } from './traversable.ts'

/** The superuser and owner of everything in our own server. */
export const POSTGRES_USER = 'edgehold'

/**
 * Makes the data folder if there is none. It is made under another name and renamed when whole, so that a kill half way leaves nothing that looks like
 * a database, and of two processes that do it together one wins. Throws with a sentence where another major version made the folder.
 */
export async function initialiseDataFolder(binaries: PostgresBinaries, folders: PostgresFolders, signal: AbortSignal): Promise<void> {
  const found = await readVersion(folders.data)
  if (found !== undefined) {
    if (found !== binaries.major) throw new Error(`The database in ${folders.data} is of PostgreSQL ${found}, and this server brings ${binaries.major}; start the version that made it, or move the data over`)
    return
  }
  await removeAbandonedDrafts(folders.data)
  const draft = `${folders.data}-being-made-${process.pid}-${randomBytes(3).toString('hex')}`
  const passwordFile = `${draft}.password`
  const user = unprivilegedUser()
  try {
    await writeFile(passwordFile, folders.password, { mode: 0o600 })
    if (user) await chown(passwordFile, user.uid, user.gid)
    await run(join(binaries.folder, 'initdb'), [
      `--pgdata=${draft}`, `--username=${POSTGRES_USER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256',
      // Segments of 4 MB keep a fresh folder at some 30 MB instead of 39; checksums are a default of 18 that 15 must be asked for.
      '--wal-segsize=4', '--data-checksums', '--encoding=UTF8', '--locale=C', '--no-instructions',
    ], signal)
    await rename(draft, folders.data)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    if ((await readVersion(folders.data)) === undefined) throw error
  } finally {
    await rm(passwordFile, { force: true })
  }
}

/** Drafts of processes that were killed half way. */
async function removeAbandonedDrafts(dataFolder: string): Promise<void> {
  const prefix = `${basename(dataFolder)}-being-made-`
  for (const name of await readdir(dirname(dataFolder))) {
    const maker = Number.parseInt(name.slice(prefix.length), 10)
    if (name.startsWith(prefix) && !isAlive(maker)) await rm(join(dirname(dataFolder), name), { recursive: true, force: true })
  }
}

async function readVersion(dataFolder: string): Promise<number | undefined> {
  const path = join(dataFolder, 'PG_VERSION')
  if (!(await access(path).then(() => true, () => false))) return undefined
  return Number.parseInt(await readFile(path, 'utf8'), 10)
}

/** Runs a PostgreSQL tool as the unprivileged user; throws with its last words. */
async function run(command: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const child = spawn(command, args, { ...unprivilegedUser(), signal, stdio: ['ignore', 'pipe', 'pipe'], env: postgresEnvironment(), cwd: '/' })
  let said = ''
  const listen = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000)
  }
  child.stdout.on('data', listen)
  child.stderr.on('data', listen)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  child.once('error', reject)
  child.once('close', code => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}: ${said.trim()}`))))
  await promise
}

/** Nothing of the caller's environment but the path: PGDATA, PGPORT and the like would change what is started. */
export function postgresEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
}
