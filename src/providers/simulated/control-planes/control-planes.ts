import { setMaxListeners } from 'node:events'
import type { ComponentSeen, ControlPlaneComponent, ControlPlaneHost, ControlPlaneOrder, ControlPlaneSeen } from '#ports/control-plane-host.ts'
import type { FaultTarget } from '#ports/region-world.ts'
import type { Durations } from '../durations.ts'
import type { Faults } from '../faults/faults.ts'
import type { Plane } from '../world/things.ts'
import type { World } from '../world/world.ts'
import { ended, recentStarts, started } from './component-life.ts'

const NAMES: readonly ControlPlaneComponent[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']
const PORT = 'control-plane-host'
/** From the start of one component to an API that is ready again, the others running. */
const READY_AGAIN = [2_000, 4_000] as const

/** Control planes of a world: components start, end and are started again as supervisors do; an API answers from a drawn time after its start. */
export class ControlPlanes implements ControlPlaneHost {
  readonly #world: World
  readonly #faults: Faults
  readonly #durations: Durations
  readonly #planes
  readonly #onTurn = new Set<(clusterId: string) => void>()
  readonly #watchers = new Set<(clusterId: string) => void>()

  constructor(world: World, faults: Faults, durations: Durations) {
    this.#world = world
    this.#faults = faults
    this.#durations = durations
    this.#planes = world.table<Plane>('plane', { replays: true })
    world.on('plane', id => this.#live(id))
    faults.onChange(() => this.#faultsChanged())
  }

  /** Told when an API begins or ceases to answer, and when a cluster is gone with all in it. */
  onTurn(told: (clusterId: string) => void): () => void {
    this.#onTurn.add(told)
    return () => { this.#onTurn.delete(told) }
  }

  plane(clusterId: string): Plane | undefined {
    return this.#planes.get(clusterId)
  }

  entries(): IterableIterator<[string, Plane]> {
    return this.#planes.entries()
  }

  /** From when the API answers, which may be to come; undefined: it does not, and nothing is under way. */
  apiFrom(clusterId: string): number | undefined {
    const plane = this.#planes.get(clusterId)
    if (!plane || this.#isSilent(clusterId, plane)) return undefined
    return plane.readyAt
  }

  isUp(clusterId: string): boolean {
    return (this.apiFrom(clusterId) ?? Infinity) <= this.#world.now()
  }

  runs(clusterId: string, name: ControlPlaneComponent): boolean {
    const plane = this.#planes.get(clusterId)
    return this.isUp(clusterId) && plane?.components[name]?.running === true && !this.#faults.standing(PORT, name, targetOf(clusterId, plane))
  }

  async look(clusterId: string): Promise<ControlPlaneSeen> {
    const plane = this.#planes.get(clusterId), now = this.#world.now()
    return {
      network: plane !== undefined,
      components: NAMES.map(name => seen(name, plane, now)),
      ...(plane?.dataLost !== undefined && { dataLost: plane.dataLost }),
    }
  }

  async ensure(order: ControlPlaneOrder): Promise<void> {
    const { clusterId } = order, now = this.#world.now()
    let plane = this.#planes.get(clusterId)
    if (!plane) {
      const { name, version, address, podCidr, maxPodsPerNode } = order
      plane = { name, version, address, podCidr, maxPodsPerNode, on: false, starts: 0, components: {}, nextRange: 0 }
    }
    // What already runs is left alone, and what its supervisor starts again is left to it.
    const missing = plane.on ? NAMES.filter(name => plane.components[name]?.running !== true && plane.components[name]?.startsAgainAt === undefined) : NAMES
    if (!plane.on) this.#startWhole(clusterId, plane, now)
    else for (const name of missing) this.#start(clusterId, plane, name, now)
    if (missing.length > 0) {
      this.#planes.put(clusterId, plane)
      this.#turned(clusterId)
    }
    await this.#world.settle()
  }

  async ensureStopped(clusterId: string): Promise<void> {
    const plane = this.#planes.get(clusterId)
    if (plane?.on) {
      plane.on = false
      plane.components = {}
      delete plane.readyAt
      this.#planes.put(clusterId, plane)
      this.#turned(clusterId)
    }
    await this.#world.settle()
  }

  async ensureGone(clusterId: string): Promise<void> {
    if (this.#planes.delete(clusterId)) this.#turned(clusterId)
    await this.#world.settle()
  }

  /** Nothing in a world is reached by routes. */
  async ensureRoutes(): Promise<void> {}

  async watch(onChange: (clusterId: string) => void, signal: AbortSignal): Promise<void> {
    this.#watchers.add(onChange)
    await untilAborted(signal)
    this.#watchers.delete(onChange)
  }

  /** The next range of the cluster's pods for a node: room for twice its pods. */
  takePodRange(clusterId: string): string {
    const plane = this.#planes.get(clusterId)
    if (!plane) throw new Error(`E-WORLD-RANGE: a node of the cluster ${clusterId}, which is not there, asks for a pod range`)
    const size = 2 ** Math.ceil(Math.log2(Math.max(plane.maxPodsPerNode, 8) * 2)), ordinal = plane.nextRange++
    this.#planes.put(clusterId, plane)
    const [base = ''] = plane.podCidr.split('/')
    const first = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + ordinal * size
    return `${[24, 16, 8, 0].map(shift => (first >>> shift) & 255).join('.')}/${32 - Math.log2(size)}`
  }

  /** Puts what is to come into the world's order again, after a start of the process. */
  restore(): void {
    for (const [id, plane] of this.#planes.entries()) {
      this.#world.reschedule('plane', id, plane.readyAt)
      for (const name of NAMES) this.#world.schedule('plane', id, plane.components[name]?.startsAgainAt)
    }
  }

  #startWhole(clusterId: string, plane: Plane, now: number): void {
    plane.on = true
    plane.starts++
    for (const name of NAMES) this.#start(clusterId, plane, name, now)
    if (isWhole(plane)) plane.readyAt = now + this.#world.draw.within(this.#durations.controlPlane, PORT, 'ensure', clusterId, plane.starts) + this.#slowness(clusterId, plane)
    this.#schedule(clusterId, plane)
  }

  #start(clusterId: string, plane: Plane, name: ControlPlaneComponent, at: number): void {
    plane.components[name] = started(plane.components[name], at)
    const lost = name === 'etcd' ? this.#faults.strike(PORT, 'data', targetOf(clusterId, plane)) : undefined
    if (lost) plane.dataLost = lost.effect.message ?? 'The folder of the datastore was there and holds no readable data any more'
    const fault = this.#faults.strike(PORT, name, targetOf(clusterId, plane))
    if (fault && (fault.effect.type === 'fail' || fault.effect.type === 'stutter')) this.#end(plane, name, at, fault.effect.message, fault.until)
    else if (isWhole(plane) && (plane.readyAt === undefined || plane.readyAt <= at) && (name === 'etcd' || name === 'kube-apiserver')) {
      plane.readyAt = at + this.#world.draw.within(READY_AGAIN, PORT, name, clusterId, plane.components[name].starts.length) + (fault?.effect.type === 'slow' ? fault.effect.for ?? 0 : 0)
    }
    this.#schedule(clusterId, plane)
  }

  #end(plane: Plane, name: ControlPlaneComponent, at: number, words: string | undefined, mendedAt: number | undefined): void {
    const life = plane.components[name]
    if (!life) return
    plane.components[name] = ended(life, at, { code: 1, lastLines: (words ?? `${name}: exiting`).split('\n').slice(-20) }, mendedAt)
    if (name === 'etcd' || name === 'kube-apiserver') delete plane.readyAt
  }

  #live(clusterId: string): void {
    const plane = this.#planes.get(clusterId), now = this.#world.now()
    if (!plane?.on) return
    const due = NAMES.filter(name => (plane.components[name]?.startsAgainAt ?? Infinity) <= now)
    for (const name of due) this.#start(clusterId, plane, name, now)
    if (due.length > 0) this.#planes.put(clusterId, plane)
    if (due.length > 0 || plane.readyAt === now) this.#turned(clusterId)
  }

  /** A fault that begins ends what runs under it at once; one that ended lets supervisors try again soon. */
  #faultsChanged(): void {
    const now = this.#world.now()
    for (const [clusterId, plane] of this.#planes.entries()) {
      if (!plane.on) continue
      const before = JSON.stringify(plane.components)
      for (const name of NAMES) {
        const life = plane.components[name], target = targetOf(clusterId, plane)
        const fault = this.#faults.standing(PORT, name, target)
        const ends = fault?.effect.type === 'fail' || fault?.effect.type === 'stutter'
        if (life?.running && ends && this.#faults.strike(PORT, name, target)) this.#end(plane, name, now, fault?.effect.message, fault?.until)
        else if (life?.startsAgainAt !== undefined && !ends) life.startsAgainAt = Math.min(life.startsAgainAt, now + 1_000)
      }
      const lost = this.#faults.standing(PORT, 'data', targetOf(clusterId, plane)) ? this.#faults.strike(PORT, 'data', targetOf(clusterId, plane)) : undefined
      if (lost && plane.dataLost === undefined) {
        plane.dataLost = lost.effect.message ?? 'The folder of the datastore was there and holds no readable data any more'
        this.#end(plane, 'etcd', now, 'panic: the write-ahead log cannot be read', undefined)
      }
      if (JSON.stringify(plane.components) !== before || lost) this.#planes.put(clusterId, plane)
      this.#schedule(clusterId, plane)
      this.#turned(clusterId) // a silent one turned without a change of its own
    }
  }

  #isSilent(clusterId: string, plane: Plane): boolean {
    const fault = this.#faults.standing(PORT, 'kube-apiserver', targetOf(clusterId, plane))
    return fault?.effect.type === 'silent' && this.#faults.affecting(PORT, 'kube-apiserver', targetOf(clusterId, plane)) === fault
  }

  #slowness(clusterId: string, plane: Plane): number {
    const fault = this.#faults.standing(PORT, 'kube-apiserver', targetOf(clusterId, plane))
    return fault?.effect.type === 'slow' ? fault.effect.for ?? 0 : 0
  }

  #schedule(clusterId: string, plane: Plane): void {
    const now = this.#world.now()
    if (plane.readyAt !== undefined && plane.readyAt > now) this.#world.schedule('plane', clusterId, plane.readyAt)
    for (const name of NAMES) this.#world.schedule('plane', clusterId, plane.components[name]?.startsAgainAt)
  }

  #turned(clusterId: string): void {
    this.#world.tell({ kind: 'ControlPlane', clusterId })
    for (const told of this.#onTurn) told(clusterId)
    for (const told of this.#watchers) told(clusterId)
  }
}

export function targetOf(clusterId: string, plane: Pick<Plane, 'name'> | undefined): FaultTarget {
  return { kind: 'Cluster', id: clusterId, name: plane?.name }
}

function isWhole(plane: Plane): boolean {
  return plane.dataLost === undefined && plane.components.etcd?.running === true && plane.components['kube-apiserver']?.running === true
}

function seen(name: ControlPlaneComponent, plane: Plane | undefined, now: number): ComponentSeen {
  const life = plane?.components[name]
  if (!life) return { name, state: 'absent', recentStarts: 0 }
  return { name, state: life.running ? 'running' : 'exited', startedAt: life.startedAt, recentStarts: recentStarts(life, now).length, ...(life.lastExit && { lastExit: life.lastExit }) }
}

export async function untilAborted(signal: AbortSignal): Promise<void> {
  setMaxListeners(0, signal)
  if (signal.aborted) return
  await new Promise<void>(resolve => { signal.addEventListener('abort', () => resolve(), { once: true }) })
}
