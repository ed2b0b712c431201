import { readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rmdir } from 'node:fs/promises'
import type { Clock } from '#ports/clock.ts'

/** The mounted cgroup trees that a component is put into, and the one that says who belongs to it. */
export interface CgroupHierarchies {
  /** A membership here is a component's identity: a pid alone is never trusted. */
  readonly identity: string
  readonly all: readonly string[]
  /** Trees whose root is joined: one group there would share the processor as one program against all others, and every start would crawl on a busy host. */
  readonly rootOnly: readonly string[]
  /** The identity tree is version 2 and tells by an event when a group becomes empty. */
  readonly tellsWhenEmpty: boolean
}

/** Version 1 controllers whose limits a service manager sets on its own units: components must not stay in those. The others have nothing to inherit. */
const LEAVE = ['memory', 'cpu', 'cpuacct', 'pids', 'name=systemd']
const ROOT_ONLY = ['cpu', 'cpuacct']

/** Reads the cgroup trees of this host: version 2, version 1, or both at once. */
export async function findCgroupHierarchies(mountInfo?: string): Promise<CgroupHierarchies> {
  const text = mountInfo ?? await readFile('/proc/self/mountinfo', 'utf8')
  let unified: string | undefined
  const older = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [mount, type, , options] = [line.split(' ')[4], ...(line.split(' - ')[1] ?? '').split(' ')]
    if (mount === undefined || !mount.startsWith('/sys/fs/cgroup')) continue
    if (type === 'cgroup2') unified ??= mount
    if (type === 'cgroup') for (const name of (options ?? '').split(',')) if (LEAVE.includes(name)) older.set(name, mount)
    // The systemd tree is mounted without any controller's name where the kernel shows only its path.
    if (type === 'cgroup' && mount.endsWith('/systemd')) older.set('name=systemd', mount)
  }
  const identity = unified ?? older.get('name=systemd') ?? older.get('pids')
  if (identity === undefined) throw new Error('No cgroup tree is mounted under /sys/fs/cgroup on this host; mount cgroup2 there, and start again.')
  const rootOnly = new Set(ROOT_ONLY.flatMap(name => older.get(name) ?? []))
  const others = [...new Set(older.values())].filter(root => root !== identity && !rootOnly.has(root))
  return { identity, all: [...others, identity], rootOnly: [...rootOnly], tellsWhenEmpty: unified !== undefined }
}

/** Makes the group in every tree and answers the folders to join, that of the identity last: whoever is in it is in all. */
export async function ensureCgroup(hierarchies: CgroupHierarchies, name: string): Promise<readonly string[]> {
  const folders = hierarchies.all.map(root => `${root}/${name}`)
  for (const folder of folders) await mkdir(folder, { recursive: true })
  return [...hierarchies.rootOnly, ...folders]
}

/** The pids in the group itself, empty if there is no such group. Read without waiting: the kernel answers from memory, where a turn through the thread pool would cost twenty times the read. */
export function processesOf(hierarchies: CgroupHierarchies, name: string): readonly number[] {
  try {
    return readFileSync(`${hierarchies.identity}/${name}/cgroup.procs`, 'utf8').split('\n').filter(line => line !== '').map(Number)
  } catch (error) {
    return ifGone([])(error as NodeJS.ErrnoException)
  }
}

/** Kills whatever is in the group until nothing is. Throws when something outlives the deadline. */
export async function killCgroup(hierarchies: CgroupHierarchies, name: string, clock: Clock): Promise<void> {
  const deadline = clock.now() + 10_000
  for (;;) {
    const pids = processesOf(hierarchies, name)
    if (pids.length === 0) return
    if (clock.now() > deadline) throw new Error(`Processes ${pids.join(', ')} of ${name} do not end although they were killed; see \`ps -o stat,wchan,args -p ${pids.join(',')}\`.`)
    for (const pid of pids) killIfThere(pid)
    await clock.sleep(10)
  }
}

/** Removes the group and those in it from every tree; already gone is success. The kernel needs a moment to let go of a group whose processes have just ended. */
export async function removeCgroup(hierarchies: CgroupHierarchies, name: string, clock: Clock): Promise<void> {
  const deadline = clock.now() + 5_000
  for (;;) {
    try {
      for (const root of hierarchies.all) await removeTree(`${root}/${name}`)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || clock.now() > deadline) throw error
      await clock.sleep(20)
    }
  }
}

/** Removes a group that may be shared, if it is empty by now. */
export async function removeCgroupIfEmpty(hierarchies: CgroupHierarchies, name: string): Promise<void> {
  for (const root of hierarchies.all) {
    await rmdir(`${root}/${name}`).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' && error.code !== 'EBUSY' && error.code !== 'ENOTEMPTY') throw error
    })
  }
}

export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const killIfThere = (pid: number): void => sendSignal(pid, 'SIGKILL')

async function removeTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(ifGone([]))
  for (const entry of entries) if (entry.isDirectory()) await removeTree(`${folder}/${entry.name}`)
  await rmdir(folder).catch(ifGone(undefined))
}

const ifGone = <T>(instead: T) => (error: NodeJS.ErrnoException): T => {
  // ENODEV: the group went between opening and reading.
  if (error.code === 'ENOENT' || error.code === 'ENODEV') return instead
  throw error
}
