import { readdir, readFile, rmdir, writeFile, mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Clock } from '#ports/clock.ts'

/** A cgroup tree of the host as it is mounted. */
export interface Hierarchy {
  readonly mountpoint: string
  readonly version: 1 | 2
  /** Mount options with which the same tree is mounted again, e.g. `cpu,cpuacct` or `none,name=systemd`. */
  readonly options: string
}

/** All hierarchies of the host: v1, hybrid (v1 and a v2 tree without controllers) or v2 alone. */
export async function cgroupHierarchies(): Promise<readonly Hierarchy[]> {
  const found: Hierarchy[] = []
  for (const line of (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')) {
    const [before, after] = line.split(' - ')
    const mountpoint = before?.split(' ')[4]
    const [type, , superOptions] = after?.split(' ') ?? []
    if (!mountpoint?.startsWith('/sys/fs/cgroup')) continue
    if (type === 'cgroup2') found.push({ mountpoint, version: 2, options: 'cgroup2' })
    if (type === 'cgroup') found.push({ mountpoint, version: 1, options: remountOptions(superOptions ?? '') })
  }
  return found
}

function remountOptions(superOptions: string): string {
  const parts = superOptions.split(',').filter((part) => part !== 'rw' && part !== 'ro' && part !== 'xattr' && !part.startsWith('release_agent') && part !== 'clone_children')
  return parts.some((part) => part.startsWith('name=')) ? ['none', ...parts].join(',') : parts.join(',')
}

export const isUnified = (hierarchies: readonly Hierarchy[]): boolean => hierarchies.every((one) => one.version === 2)

/** What the boot script gets: `FOLDER=OPTIONS` words. */
export const hierarchyWords = (hierarchies: readonly Hierarchy[]): string => hierarchies.map((one) => `${basename(one.mountpoint)}=${one.options}`).join(' ')

export const cgroupFolders = (hierarchies: readonly Hierarchy[], path: string): readonly string[] => hierarchies.map((one) => join(one.mountpoint, path))

/** Makes `path` in every hierarchy, ready to take processes. */
export async function ensureCgroup(hierarchies: readonly Hierarchy[], path: string): Promise<void> {
  const unified = isUnified(hierarchies)
  for (const { mountpoint, version } of hierarchies) {
    let parent = mountpoint
    for (const part of path.split('/')) {
      // v2: a controller reaches a child only if each ancestor hands it down.
      if (version === 2 && unified) await handDownControllers(parent)
      const folder = join(parent, part)
      await mkdir(folder, { recursive: true })
      if (version === 1) await copyCpuset(parent, folder)
      parent = folder
    }
  }
}

async function handDownControllers(folder: string): Promise<void> {
  const available = (await readFile(join(folder, 'cgroup.controllers'), 'utf8')).trim().split(' ').filter(Boolean)
  const handedDown = (await readFile(join(folder, 'cgroup.subtree_control'), 'utf8')).trim().split(' ')
  const missing = available.filter((controller) => !handedDown.includes(controller))
  if (missing.length > 0) await writeFile(join(folder, 'cgroup.subtree_control'), missing.map((controller) => `+${controller}`).join(' '))
}

/** A new v1 cpuset takes no process until it has processors and memory nodes. */
async function copyCpuset(parent: string, folder: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const mine = await readOptional(join(folder, file))
    if (mine === undefined || mine.trim() !== '') continue
    await writeFile(join(folder, file), await readFile(join(parent, file), 'utf8'))
  }
}

/** Processes in `path` and below it, by the host's pids. */
export async function cgroupProcesses(hierarchies: readonly Hierarchy[], path: string): Promise<ReadonlySet<number>> {
  const pids = new Set<number>()
  for (const top of cgroupFolders(hierarchies, path)) {
    for (const folder of await foldersDeepestFirst(top)) {
      for (const pid of ((await readOptional(join(folder, 'cgroup.procs'))) ?? '').split('\n')) if (pid) pids.add(Number(pid))
    }
  }
  return pids
}

/** Kills what is left in `path` and removes it, deepest first. Already gone is success; processes that do not die within 15 s are an error. */
export async function ensureCgroupGone(hierarchies: readonly Hierarchy[], path: string, clock: Clock): Promise<void> {
  const deadline = clock.now() + 15_000
  for (;;) {
    const pids = await cgroupProcesses(hierarchies, path)
    for (const pid of pids) killQuietly(pid)
    let left = false
    for (const top of cgroupFolders(hierarchies, path)) {
      for (const folder of await foldersDeepestFirst(top)) {
        try {
          await rmdir(folder)
        } catch (error) {
          if (errorCode(error) !== 'ENOENT') left = true // EBUSY: its last process is still on its way out
        }
      }
    }
    if (!left) return
    if (clock.now() > deadline) throw new Error(`The cgroup ${path} could not be removed; processes in it: ${[...pids].join(', ') || 'none'}`)
    await clock.sleep(20)
  }
}

function killQuietly(pid: number): void {
  try {
    if (pid > 1) process.kill(pid, 'SIGKILL')
  } catch {
    // It ended between the look and the kill.
  }
}

async function foldersDeepestFirst(top: string): Promise<readonly string[]> {
  let entries
  try {
    entries = await readdir(top, { withFileTypes: true })
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENODEV') return []
    throw error
  }
  const below = await Promise.all(entries.filter((entry) => entry.isDirectory()).map((entry) => foldersDeepestFirst(join(top, entry.name))))
  return [...below.flat(), top]
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'EOPNOTSUPP'].includes(errorCode(error) ?? '')) return undefined
    throw error
  }
}

export const errorCode = (error: unknown): string | undefined => (error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined)
