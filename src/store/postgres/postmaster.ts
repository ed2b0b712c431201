import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a running postmaster wrote into its pid file. */
export interface Postmaster {
  readonly pid: number
  readonly port: number
  /** Empty where it listens on TCP alone. */
  readonly socketFolder: string
  readonly ready: boolean
}

/**
 * The postmaster that lives on this data folder, whoever started it. The pid file alone proves nothing: after kill -9 or a reboot it stays, and the
 * number in it may belong to something else by now; so the process's own command line must name the folder.
 */
export async function findPostmaster(dataFolder: string): Promise<Postmaster | undefined> {
  const lines = await readPidFile(dataFolder)
  const pid = Number(lines?.[0])
  if (!lines || !Number.isInteger(pid) || pid <= 0) return undefined
  if (!(await runsOn(pid, dataFolder))) return undefined
  return { pid, port: Number(lines[3]), socketFolder: lines[4] ?? '', ready: (lines[7] ?? '').trim() === 'ready' }
}

async function readPidFile(dataFolder: string): Promise<string[] | undefined> {
  try {
    return (await readFile(join(dataFolder, 'postmaster.pid'), 'utf8')).split('\n')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function runsOn(pid: number, dataFolder: string): Promise<boolean> {
  if (!isAlive(pid)) return false
  if (process.platform !== 'linux') return true
  try {
    const [commandLine, status] = await Promise.all([readFile(`/proc/${pid}/cmdline`, 'utf8'), readFile(`/proc/${pid}/stat`, 'utf8')])
    const isZombie = status.slice(status.lastIndexOf(')') + 2).startsWith('Z')
    return !isZombie && commandLine.split('\0').includes(dataFolder)
  } catch {
    return false // it ended between two looks
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Stops the server on this data folder: transactions under way are rolled back, connections closed. Not running is success. */
export async function stopPostmaster(dataFolder: string, withinMs = 15_000): Promise<void> {
  const found = await findPostmaster(dataFolder)
  if (!found) return
  process.kill(found.pid, 'SIGINT')
  const patience = Date.now() + withinMs
  while (await runsOn(found.pid, dataFolder)) {
    if (Date.now() > patience) {
      process.kill(found.pid, 'SIGQUIT')
      break
    }
    await sleep(20)
  }
}
