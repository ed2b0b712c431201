import type { ControlPlanes } from '../control-planes/control-planes.ts'
import { HEARD_AGAIN } from '../durations.ts'
import type { Faults } from '../faults/faults.ts'
import type { Insides } from '../tenant/insides.ts'
import type { Kubelets as Heard, Nodes } from '../tenant/nodes.ts'
import type { Beginning } from '../world/things.ts'
import type { World } from '../world/world.ts'
import { targetOfMachine, type Fleet } from './fleet.ts'
import type { Onboarding } from './onboarding.ts'
import { isConnected } from './see-machine.ts'

/** Kubelets of the world's machines: one registers its node once its cluster lets it, and is heard while power, network and its own process are there. */
export class Kubelets implements Heard {
  readonly #world: World
  readonly #faults: Faults
  readonly #fleet: Fleet
  readonly #planes: ControlPlanes
  readonly #nodes: Nodes
  readonly #insides: Insides
  readonly #onboarding: Onboarding

  constructor(parts: { world: World; faults: Faults; fleet: Fleet; planes: ControlPlanes; nodes: Nodes; insides: Insides; onboarding: Onboarding }) {
    this.#world = parts.world
    this.#faults = parts.faults
    this.#fleet = parts.fleet
    this.#planes = parts.planes
    this.#nodes = parts.nodes
    this.#insides = parts.insides
    this.#onboarding = parts.onboarding
    this.#onboarding.onStart(id => this.register(id))
    this.#planes.onTurn(clusterId => this.#turned(clusterId))
    this.#faults.onChange(() => this.#refreshEverywhere())
  }

  hearing(machineId: string): { readonly from: number | undefined; readonly says?: string } {
    const machine = this.#fleet.get(machineId)
    if (!machine?.member || machine.member.fails || machine.power === 'off' || machine.link === 'cut' || machine.upAt === undefined) return { from: undefined }
    const fault = this.#faults.affecting('machines', 'kubelet', targetOfMachine(machineId, machine))
    if (fault && (fault.effect.type === 'silent' || fault.effect.type === 'hang')) return { from: undefined }
    const linked = machine.linkSince + this.#world.draw.within(HEARD_AGAIN, 'machines', 'link', machineId, machine.linkSince)
    const from = Math.max(machine.upAt, machine.member.startsAt, linked)
    return fault?.effect.type === 'fail' ? { from, says: fault.effect.message ?? 'container runtime is down' } : { from }
  }

  /** The kubelet asks for its Node object; a cluster lets members in only, and it goes on asking. */
  register(machineId: string): void {
    const machine = this.#fleet.get(machineId), now = this.#world.now()
    if (!machine?.member || machine.member.fails || machine.member.startsAt > now || !isConnected(machine, now)) return
    const { clusterId, nodeName, node: { labels, taints, cordoned } = NOTHING } = machine.member
    if (!this.#planes.isUp(clusterId) || !this.#insides.get(clusterId).members.includes(nodeName)) return
    if (this.#nodes.get(clusterId, nodeName)) return this.#nodes.refresh(clusterId, nodeName)
    const { from, says } = this.hearing(machineId)
    this.#nodes.add(clusterId, {
      name: nodeName, machine: machineId, uid: this.#world.draw.hex(32, 'node', clusterId, nodeName, now).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
      createdAt: now, podCidr: this.#planes.takePodRange(clusterId), ip: machine.address,
      labels: labels.length > 0 ? Object.fromEntries(labels.map(({ key, value }) => [key, value])) : NO_LABELS, taints, unschedulable: cordoned === true, ready: says === undefined && from !== undefined ? 'True' : 'False', since: now, heardSince: now,
    })
  }

  /** Members that have no node yet ask again, as kubelets do all the time. */
  registerWaiting(clusterId: string): void {
    for (const id of this.#fleet.membersOf(clusterId).toSorted()) {
      const name = this.#fleet.get(id)?.member?.nodeName
      if (name !== undefined && !this.#nodes.get(clusterId, name)) this.register(id)
    }
  }

  /** Power, link or kubelet of the machine changed. */
  refresh(machineId: string): void {
    const member = this.#fleet.get(machineId)?.member
    if (!member) return
    const node = this.#nodes.get(member.clusterId, member.nodeName)
    if (node?.machine === machineId) this.#nodes.refresh(member.clusterId, member.nodeName)
  }

  /** The machine is gone for good. */
  lost(clusterId: string, nodeName: string, machineId: string): void {
    if (this.#nodes.get(clusterId, nodeName)?.machine === machineId) this.#nodes.refresh(clusterId, nodeName)
  }

  #turned(clusterId: string): void {
    if (!this.#planes.plane(clusterId)) {
      for (const id of this.#fleet.membersOf(clusterId)) {
        const machine = this.#fleet.get(id)
        if (machine) this.#onboarding.asksLater(id, machine)
      }
      this.#nodes.removeAll(clusterId)
      return
    }
    this.#nodes.refreshAll(clusterId)
    if (!this.#planes.isUp(clusterId)) return
    this.#nodes.tellAll(clusterId)
    this.registerWaiting(clusterId)
  }

  #refreshEverywhere(): void {
    for (const [id, machine] of this.#fleet.entries()) if (machine.member) this.refresh(id)
  }
}

// Shared by all nodes that have none, of which there are many.
const NO_LABELS: Readonly<Record<string, string>> = {}
const NOTHING: Beginning = { labels: [], taints: [] }
