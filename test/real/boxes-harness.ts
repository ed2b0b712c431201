import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { rememberNetwork } from '#main/local/remembered-network.ts'
import { systemClock } from '#main/system-clock.ts'
import type { Log } from '#ports/log.ts'
import { Boxes } from '#providers/local/boxes/boxes.ts'
import { downWhenEnded, type Farewell } from '#test/harness/when-ended.ts'

/** How many times as long as on a machine of its own things may take: under software emulation everything is slow, and how slow depends on what else the host does. */
export const PATIENCE = Number(process.env['EDGEHOLD_TEST_PATIENCE'] ?? 1)

export const quietLog: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => quietLog }

export const host = (command: string): string => execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' })

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return '' // it has ended
  }
}

/** A bridge and a state folder of the test's own; `dispose` takes everything away again. */
export class BoxWorld {
  readonly stateDir = mkdtempSync('/var/tmp/edgehold-boxes-')
  readonly hash = createHash('sha256').update(this.stateDir).digest('hex').slice(0, 8)
  readonly bridge = `eh${this.hash}`
  readonly subnet: string
  readonly #made: string[] = []
  readonly #farewell: Farewell

  constructor() {
    this.subnet = `10.${200 + (randomBytes(1).readUInt8() % 50)}.${randomBytes(1).readUInt8()}`
    rememberNetwork(this.stateDir, { hash: this.hash, bridge: this.bridge, cidr: `${this.subnet}.0/24`, open: false })
    this.#farewell = downWhenEnded({ ...process.env, EDGEHOLD_STATE: this.stateDir }, [this.stateDir])
    host(`ip link add ${this.bridge} type bridge && ip address add ${this.subnet}.1/24 dev ${this.bridge} && ip link set ${this.bridge} up`)
  }

  /** What another process of the same installation would have. */
  boxes(options: { diskBytes?: number; hidden?: readonly string[] } = {}): Boxes {
    return new Boxes({ stateDir: this.stateDir, hash: this.hash, bridge: this.bridge, gateway: `${this.subnet}.1`, prefixLength: 24, clock: systemClock, log: quietLog, diskBytes: 512 * 1024 ** 2, ...options })
  }

  order(number: number, power: 'on' | 'off' = 'on', link: 'up' | 'cut' = 'up') {
    const id = `m${this.hash}${number}`
    if (!this.#made.includes(id)) this.#made.push(id)
    return { id, name: `shop-${number}`, address: `${this.subnet}.${10 + number}`, power, link } as const
  }

  /** Everything on this host that carries the name of this installation. */
  left(): string[] {
    const look = (command: string) => host(`${command} || true`).split('\n').filter(Boolean)
    return [
      ...look(`ip netns list | grep ${this.hash}`),
      ...look(`ip -o link | grep ${this.hash.slice(0, 6)} | grep -v ' ${this.bridge}: '`),
      ...look(`grep ${this.stateDir} /proc/mounts`),
      ...look(`losetup -a | grep ${this.stateDir}`),
      ...look(`find /sys/fs/cgroup -maxdepth 5 -type d -path '*edgehold-${this.hash}/box*/*'`),
      ...readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid && commandOf(pid).includes(this.stateDir)).map((pid) => `${pid} ${commandOf(pid)}`),
    ]
  }

  async dispose(): Promise<void> {
    const boxes = this.boxes()
    await Promise.all(this.#made.map((id) => boxes.ensureGone(id)))
    await boxes.ensureAllStopped()
    host(`ip link delete ${this.bridge}`)
    this.#farewell.dismiss()
    rmSync(this.stateDir, { recursive: true, force: true })
  }
}

/** Waits for a fact, at most `deadlineMs` of a machine of its own. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined> | T | undefined, deadlineMs = 10_000): Promise<T> {
  const deadline = Date.now() + deadlineMs * PATIENCE
  for (;;) {
    const fact = await look()
    if (fact) return fact
    if (Date.now() > deadline) throw new Error(`Waited ${deadlineMs * PATIENCE} ms in vain: ${what}`)
    await systemClock.sleep(20)
  }
}

export const repositoryFolder = join(import.meta.dirname, '../..')
