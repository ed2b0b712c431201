import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#ports/clock.ts'
import { plugIn, unplug, type BoxNetwork } from './cable.ts'
import { cgroupFolders, cgroupProcesses, ensureCgroup, ensureCgroupGone, hierarchyWords, isUnified, type Hierarchy } from './cgroups.ts'
import { runOnHost } from './host-command.ts'
import type { BoxNames } from './names.ts'
import { forgetRun, lastEnd, livingRun, writeNoticedEnd, type BoxOrder, type BoxRun } from './state.ts'

const SCRIPTS = import.meta.dirname
const BOOT_DEADLINE_MS = 30_000
const ORDERLY_MS = 5_000

/** A box could not be brought up; the message has the last lines of its console. */
export class BoxFailure extends Error {
  readonly kind = 'BoxFailure'
}

export interface BoxHost {
  readonly network: BoxNetwork
  readonly hierarchies: readonly Hierarchy[]
  /** Paths of the host that no box may see. */
  readonly hidden: readonly string[]
  readonly diskBytes: number
  readonly clock: Clock
}

/** Makes the disk: a sparse file with an ext4 file system. Made under another name first, so that a half-made one is never taken for whole. */
export async function ensureDisk(names: BoxNames, host: BoxHost): Promise<void> {
  if (existsSync(names.image)) return
  await mkdir(names.folder, { recursive: true, mode: 0o700 })
  const part = `${names.image}.part`
  await rm(part, { force: true })
  await runOnHost(['truncate', '-s', String(host.diskBytes), part])
  await runOnHost(['mkfs.ext4', '-q', '-F', '-m', '1', '-E', 'lazy_itable_init=1,lazy_journal_init=1', part])
  await rename(part, names.image)
}

/** Boots the box from its disk and answers when its first process is the box's own. `firstBoot`: a line for a shell that it runs until it has run once. Whatever an interrupted start left is cleared first. */
export async function switchOn(names: BoxNames, host: BoxHost, order: BoxOrder, firstBoot = ''): Promise<BoxRun> {
  await clearRemains(names, host)
  await forgetRun(names)
  await plugIn(names, host.network, order.address, order.link)
  await ensureCgroup(host.hierarchies, names.cgroup)
  await ensureCgroup(host.hierarchies, names.waiterCgroup)
  launch(names, host, order, firstBoot)

  const deadline = host.clock.now() + BOOT_DEADLINE_MS
  for (;;) {
    const run = await livingRun(names)
    if (run) return run
    if ((await lastEnd(names)) || host.clock.now() > deadline) {
      const said = await consoleTail(names)
      await clearRemains(names, host)
      throw new BoxFailure(`The machine ${order.name} did not come up. Its console says last: ${said || 'nothing'}`)
    }
    await host.clock.sleep(10)
  }
}

function launch(names: BoxNames, host: BoxHost, order: BoxOrder, firstBoot: string): void {
  const log = openSync(names.console, 'w', 0o600)
  try {
    const child = spawn('/bin/sh', [join(SCRIPTS, 'box-launch.sh')], {
      detached: true, // it outlives this server
      stdio: ['ignore', log, log],
      cwd: '/',
      env: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        LANG: 'C',
        SCRIPTS,
        BOX: names.folder,
        STATE: names.state,
        NAME: order.name,
        ADDRESS: order.address,
        MACHINE_ID: names.machineId,
        FIRST_BOOT: firstBoot,
        NETNS: names.netns,
        VETH: names.veth,
        HIDDEN: host.hidden.join(' '),
        BOX_CGROUPS: cgroupFolders(host.hierarchies, names.cgroup).join(' '),
        WAITER_CGROUPS: cgroupFolders(host.hierarchies, names.waiterCgroup).join(' '),
        CGROUP_VERSION: isUnified(host.hierarchies) ? '2' : '1',
        CGROUP_HIERARCHIES: hierarchyWords(host.hierarchies),
      },
    })
    child.on('error', () => {}) // no shell at all: seen as a box that did not come up in time
    child.unref()
  } finally {
    closeSync(log)
  }
}

/** Asks the box to end in good order, and pulls the plug if it does not within 5 s. */
export async function switchOff(names: BoxNames, host: BoxHost): Promise<void> {
  const run = await livingRun(names)
  if (run) {
    signal(run.pid, 'SIGTERM')
    const deadline = host.clock.now() + ORDERLY_MS
    while (host.clock.now() < deadline && (await livingRun(names))) await host.clock.sleep(20)
  }
  await pullPlug(names, host)
}

/** The box's processes die at once; what was written to its disk stays. Nothing but the disk remains of it on the host. */
export async function pullPlug(names: BoxNames, host: BoxHost): Promise<void> {
  const run = await livingRun(names)
  if (run) signal(run.pid, 'SIGKILL')
  await clearRemains(names, host)
  if (!(await lastEnd(names))) await writeNoticedEnd(names, host.clock.now())
}

/** Processes, waiter, cgroups, cable and loop device of a box that is not on, or not to be. */
export async function clearRemains(names: BoxNames, host: BoxHost): Promise<void> {
  await ensureCgroupGone(host.hierarchies, names.cgroup, host.clock)
  // The waiter writes the end down and unplugs; it gets a moment to do so before it is ended too.
  const deadline = host.clock.now() + 2_000
  while (host.clock.now() < deadline && (await cgroupProcesses(host.hierarchies, names.waiterCgroup)).size > 0) await host.clock.sleep(10)
  await ensureCgroupGone(host.hierarchies, names.waiterCgroup, host.clock)
  await unplug(names)
  await ensureDetached(names, host)
}

/** The same image behind two loop devices would destroy the file system, so nothing starts before the kernel has let go of the first. */
async function ensureDetached(names: BoxNames, host: BoxHost): Promise<void> {
  const deadline = host.clock.now() + 15_000
  for (;;) {
    if (!existsSync(names.image)) return
    const devices = (await runOnHost(['losetup', '--associated', names.image, '--output', 'NAME', '--noheadings'])).split('\n').filter(Boolean)
    if (devices.length === 0) return
    if (host.clock.now() > deadline) throw new Error(`${names.image} is still in use by ${devices.join(', ')}`)
    await host.clock.sleep(20)
  }
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name)
  } catch {
    // It ended by itself meanwhile; the look that follows tells.
  }
}

async function consoleTail(names: BoxNames): Promise<string> {
  try {
    return (await readFile(names.console, 'utf8')).trim().split('\n').slice(-5).join(' / ')
  } catch {
    return '' // no console was opened: nothing was said
  }
}
