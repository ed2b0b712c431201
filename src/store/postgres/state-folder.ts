import { createHash, randomBytes } from 'node:crypto'
import { chmod, chown, link, mkdir, readFile, realpath, rm, rmdir, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { findPostmaster } from './postmaster.ts'
import { firstClosedFolder, unprivilegedUser } from './traversable.ts'

/** The places of one PostgreSQL under a state folder. */
export interface PostgresFolders {
  readonly state: string
  readonly data: string
  readonly log: string
  /** Where its socket lives when we are root; otherwise it listens on loopback. */
  readonly socket: string | undefined
  readonly password: string
}

/** Makes the folders with the modes they must have: 0711 for what the unprivileged user walks through, 0700 for its own and for secrets. */
export async function prepareStateFolder(stateDir: string): Promise<PostgresFolders> {
  await mkdir(stateDir, { recursive: true, mode: 0o711 })
  await chmod(stateDir, 0o711)
  const state = await realpath(stateDir)
  const user = unprivilegedUser()
  if (user) {
    const closed = await firstClosedFolder(state)
    if (closed) throw new Error(`The state folder ${state} lies below ${closed}, which the unprivileged user that runs PostgreSQL may not enter; choose another folder with --state, or chmod o+x ${closed}`)
  }
  const home = join(state, 'postgres')
  await mkdir(home, { recursive: true, mode: 0o711 })
  if (user) await chown(home, user.uid, user.gid)
  await mkdir(join(state, 'secrets'), { recursive: true, mode: 0o700 })
  const socket = user ? `/run/edgehold/${createHash('sha256').update(state).digest('hex').slice(0, 16)}` : undefined
  return { state, data: join(home, 'data'), log: join(home, 'log'), socket, password: await readOrMakeSecretFile(join(state, 'secrets', 'postgres.password'), () => randomBytes(24).toString('base64url')) }
}

/** The socket folder goes with a reboot, so it is made before each start. */
export async function prepareSocketFolder(folders: Pick<PostgresFolders, 'socket'>): Promise<void> {
  const user = unprivilegedUser()
  if (!folders.socket || !user) return
  const shared = dirname(folders.socket)
  await mkdir(shared, { recursive: true, mode: 0o711 })
  await mkdir(folders.socket, { recursive: true, mode: 0o700 })
  // Another installation that stops takes the empty folder away at any moment, and the line above then makes it anew, closed: no PostgreSQL of this host could start any more.
  await chmod(shared, 0o711)
  await chown(folders.socket, user.uid, user.gid)
}

/**
 * Once the server is stopped. An orderly end leaves the folder empty, one by force what it had in it; of a server that somebody has started on the same data meanwhile nothing is taken away, since nobody could reach that any more. Where
 * it is taken from one that is about to make its socket, that one ends, and is started again.
 */
export async function removeSocketFolder({ data, socket }: Pick<PostgresFolders, 'data' | 'socket'>): Promise<void> {
  if (!socket) return
  try {
    await rmdir(socket)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTEMPTY' && await findPostmaster(data)) return
    await rm(socket, { recursive: true, force: true })
  }
  await rmdir(dirname(socket)).catch(() => {}) // others' sockets are in it, or it is gone
}

/** Reads a secret of mode 0600, or makes it whole. Of two processes that start together one makes it and both read the same. */
export async function readOrMakeSecretFile(path: string, make: () => string): Promise<string> {
  const found = await readSecretFile(path)
  if (found !== undefined) return found
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  await writeFile(draft, `${make()}\n`, { mode: 0o600, flag: 'wx', flush: true })
  try {
    await link(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await unlink(draft)
  }
  const agreed = await readSecretFile(path)
  if (agreed === undefined) throw new Error(`The file ${path} went away while it was being made`)
  return agreed
}

async function readSecretFile(path: string): Promise<string | undefined> {
  try {
    const secret = (await readFile(path, 'utf8')).trim()
    if (secret === '') throw new Error(`The file ${path} is empty; it held a secret without which the database cannot be read`)
    return secret
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
