import { mkdir, readdir, rm, rmdir } from 'node:fs/promises'
import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import { MachineOff, type MachineOrder, type Machines, type MachineSeen } from '#ports/machines.ts'
import { linkState, setLink } from './cable.ts'
import { cgroupFolders, cgroupHierarchies, ensureCgroupGone, errorCode, type Hierarchy } from './cgroups.ts'
import { execInBox } from './exec.ts'
import { BoxLocks } from './lock.ts'
import { boxNames, cgroupParent, statesFolder, type BoxNames } from './names.ts'
import { clearRemains, ensureDisk, pullPlug, switchOff, switchOn, type BoxHost } from './power.ts'
import { forgetState, hasRunFile, lastEnd, livingRun, readOrder, writeNoticedEnd, writeOrder } from './state.ts'
import { watchBoxes } from './watch.ts'

export interface BoxesOptions {
  readonly stateDir: string
  /** Names the state folder on this host; at least 6 characters of a–z and 0–9. */
  readonly hash: string
  readonly bridge: string
  readonly gateway: string
  readonly prefixLength: number
  readonly clock: Clock
  readonly log: Log
  /** More paths of the host to hide from boxes, e.g. the cache of components. */
  readonly hidden?: readonly string[]
  /** Size of each disk; the image is sparse. 10 GiB by default. */
  readonly diskBytes?: number
}

/** Secrets of the host, its users' files, and what would make a new machine look as if somebody had set it up already. */
const HIDDEN = [
  '/root', '/home', '/etc/ssh', '/etc/shadow', '/etc/shadow-', '/etc/gshadow', '/etc/gshadow-', '/etc/ssl/private', '/var/backups', '/var/spool/cron',
  '/etc/rc.local', '/etc/edgehold', '/opt/edgehold', '/etc/kubernetes', '/etc/cni', '/etc/containerd', '/var/lib/kubelet', '/var/lib/containerd',
  '/var/lib/docker', '/var/lib/cni', '/var/lib/edgehold', '/var/lib/edgehold-node', '/var/log/pods', '/var/log/containers', '/etc/kube-flannel',
]

/** Machines of a local region: empty Linux machines made of namespaces, each with its own root over the host's, disk, name, address and power. */
export class Boxes implements Machines {
  readonly #options: BoxesOptions
  readonly #locks = new BoxLocks()
  #hierarchies: Promise<readonly Hierarchy[]> | undefined

  constructor(options: BoxesOptions) {
    this.#options = options
  }

  async ensure(order: MachineOrder): Promise<MachineSeen> {
    const names = this.#names(order.id)
    const { clock, log } = this.#options
    return await this.#locked(names, async () => {
      const host = await this.#host()
      const before = await readOrder(names)
      // Written first: a machine that is known can be removed, however little of it was made.
      const nodePoolId = order.nodePoolId ?? before?.nodePoolId
      const known = { id: order.id, name: order.name, address: order.address, link: order.link, createdAt: before?.createdAt ?? clock.now(), ...(nodePoolId !== undefined && { nodePoolId }) }
      await writeOrder(names, known)
      await ensureDisk(names, host)
      const run = await livingRun(names)
      if (order.power === 'on' && !run) {
        log.info({ machine: order.name, address: order.address }, 'Switching machine on')
        await switchOn(names, host, known, order.firstBoot)
      }
      if (order.power === 'on' && run && linkState(names) !== order.link) await setLink(names, order.link)
      if (order.power === 'off' && run) {
        log.info({ machine: order.name }, 'Switching machine off')
        await switchOff(names, host)
      }
      if (order.power === 'off' && !run) await clearRemains(names, host)
      const seen = await this.look(order.id)
      if (!seen) throw new Error(`The machine ${order.name} is gone right after it was made`)
      return seen
    })
  }

  async crash(id: string): Promise<void> {
    const names = this.#names(id)
    await this.#locked(names, async () => {
      if (!(await livingRun(names))) return
      if (linkState(names) === 'up') await setLink(names, 'cut') // no farewell reaches the network
      await pullPlug(names, await this.#host())
    })
  }

  async look(id: string): Promise<MachineSeen | undefined> {
    const names = this.#names(id)
    const order = await readOrder(names)
    if (!order) return undefined
    const run = await livingRun(names)
    const fixed = { id, machineId: names.machineId, ...(order.nodePoolId !== undefined && { nodePoolId: order.nodePoolId }) }
    if (run) return { ...fixed, power: 'on', powerSince: run.onSince, lastOnAt: run.onSince, link: linkState(names) ?? 'cut' }
    if (!(await lastEnd(names)) && (await hasRunFile(names))) await writeNoticedEnd(names, this.#options.clock.now())
    const end = await lastEnd(names)
    return {
      ...fixed,
      power: 'off',
      powerSince: end?.endedAt ?? order.createdAt,
      ...(end && end.onSince > 0 ? { lastOnAt: end.onSince } : {}),
      link: order.link,
    }
  }

  async watch(onChange: (seen: MachineSeen) => void, signal: AbortSignal): Promise<void> {
    const { stateDir, clock } = this.#options
    await watchBoxes(stateDir, clock, { all: () => this.#ids(), one: (id) => this.look(id) }, onChange, signal)
  }

  async ensureGone(id: string): Promise<void> {
    const names = this.#names(id)
    await this.#locked(names, async () => {
      if (await livingRun(names)) await pullPlug(names, await this.#host())
      else await clearRemains(names, await this.#host())
      await rm(names.folder, { recursive: true, force: true })
      await forgetState(names)
    })
  }

  async exec(id: string, command: readonly string[], options: { stdin?: string; signal: AbortSignal; onOutput?: (chunk: string) => void }): Promise<{ exitCode: number; output: string }> {
    const names = this.#names(id)
    const run = await livingRun(names)
    if (!run) throw new MachineOff(`The machine ${(await readOrder(names))?.name ?? id} is off`)
    return await execInBox(names, await this.#host(), run, command, options)
  }

  /** For `down --all`: every box off, nothing of them left on the host but their disks. What was ordered is not changed. */
  async ensureAllStopped(): Promise<void> {
    const host = await this.#host()
    await Promise.all((await this.#ids()).map((id) => {
      const names = this.#names(id)
      return this.#locked(names, () => switchOff(names, host))
    }))
    const parent = cgroupParent(this.#options.hash)
    for (const folder of ['boxes', 'box-waiters']) await ensureCgroupGone(host.hierarchies, `${parent}/${folder}`, this.#options.clock)
    for (const folder of cgroupFolders(host.hierarchies, parent)) await rmdir(folder).catch(() => {}) // others' components are in it, or it is gone
  }

  async #ids(): Promise<readonly string[]> {
    try {
      return (await readdir(statesFolder(this.#options.stateDir))).filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length))
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return []
      throw error
    }
  }

  #names(id: string): BoxNames {
    return boxNames(this.#options.stateDir, this.#options.hash, id)
  }

  async #locked<T>(names: BoxNames, work: () => Promise<T>): Promise<T> {
    await mkdir(statesFolder(this.#options.stateDir), { recursive: true, mode: 0o700 })
    return await this.#locks.hold(`${names.state}.lock`, work)
  }

  async #host(): Promise<BoxHost> {
    const { stateDir, bridge, gateway, prefixLength, hidden = [], diskBytes = 10 * 1024 ** 3, clock } = this.#options
    this.#hierarchies ??= cgroupHierarchies()
    return { network: { bridge, gateway, prefixLength }, hierarchies: await this.#hierarchies, hidden: [...HIDDEN, stateDir, ...hidden], diskBytes, clock }
  }
}
