import { MachineOff, MachineRefused, type MachineOrder, type Machines, type MachineSeen } from '#ports/machines.ts'
import { untilAborted } from '../control-planes/control-planes.ts'
import type { Durations } from '../durations.ts'
import type { Faults } from '../faults/faults.ts'
import type { Limits } from '../limits/limits.ts'
import type { WorldMachine } from '../world/things.ts'
import type { World } from '../world/world.ts'
import { machineHeld, targetOfMachine, type Fleet } from './fleet.ts'
import type { Kubelets } from './kubelets.ts'
import { ends, type Onboarding } from './onboarding.ts'
import { tokenOf } from './onboarding-line.ts'
import { seeMachine } from './see-machine.ts'

/** The kind under which machines count for stock and quota. */
const KIND = 'Machine'

/** The machines of a world. */
export class SimulatedMachines implements Machines {
  readonly #world: World
  readonly #faults: Faults
  readonly #durations: Durations
  readonly #fleet: Fleet
  readonly #limits: Limits
  readonly #onboarding: Onboarding
  readonly #kubelets: Kubelets

  constructor(parts: { world: World; faults: Faults; durations: Durations; fleet: Fleet; limits: Limits; onboarding: Onboarding; kubelets: Kubelets }) {
    this.#world = parts.world
    this.#faults = parts.faults
    this.#durations = parts.durations
    this.#fleet = parts.fleet
    this.#limits = parts.limits
    this.#onboarding = parts.onboarding
    this.#kubelets = parts.kubelets
    this.#world.on('machine', id => this.#live(id))
  }

  async ensure(order: MachineOrder): Promise<MachineSeen> {
    const { id, power, link } = order, now = this.#world.now()
    const before = this.#fleet.get(id)
    const machine = before ?? this.#make(order, now)
    const turned = !before || machine.power !== power, linked = machine.link !== link
    if (linked) this.#setLink(machine, link, now)
    if (power === 'on' && (turned || machine.lastOnAt === undefined)) this.#switchOn(id, machine, now)
    else if (power === 'off' && turned) this.#switchOff(machine, now)
    if (turned || linked) this.#changed(id, machine)
    const seen = seeMachine(id, machine, this.#world.draw)
    await this.#world.settle()
    return seen
  }

  async crash(id: string): Promise<void> {
    const machine = this.#fleet.get(id)
    if (machine?.power === 'on') {
      this.#switchOff(machine, this.#world.now())
      this.#changed(id, machine)
    }
    await this.#world.settle()
  }

  async look(id: string): Promise<MachineSeen | undefined> {
    const machine = this.#fleet.get(id)
    return machine && seeMachine(id, machine, this.#world.draw)
  }

  async supply(): Promise<string> {
    return String(this.#limits.changes())
  }

  async watch(onChange: (seen: MachineSeen) => void, signal: AbortSignal): Promise<void> {
    const see = (id: string): void => {
      const machine = this.#fleet.get(id)
      if (machine && !signal.aborted) onChange(seeMachine(id, machine, this.#world.draw))
    }
    for (const [id] of this.#fleet.entries()) see(id)
    const forget = this.#fleet.onChange(see)
    await untilAborted(signal)
    forget()
  }

  async ensureGone(id: string): Promise<void> {
    const machine = this.#fleet.get(id)
    if (machine?.protected) throw machineHeld(id, machine.name)
    if (machine) {
      this.#giveBack(machine)
      const { member } = machine
      this.#fleet.remove(id)
      if (member) this.#kubelets.lost(member.clusterId, member.nodeName, id)
    }
    await this.#world.settle()
  }

  async runScript(id: string, line: string): Promise<void> {
    const machine = this.#fleet.get(id)
    if (machine?.power !== 'on') throw new MachineOff(`The machine ${machine?.name ?? id} is off`)
    const { script } = machine
    // Sent twice at one instant it is one run, as if the answer to the first had not come.
    if (script && !script.ended && script.startedAt === this.#world.now() && script.token === tokenOf(line)) return
    if ((machine.upAt ?? Infinity) > this.#world.now()) machine.firstBoot = line // as soon as it is up
    else this.#onboarding.begin(id, machine, line)
    this.#fleet.put(id, machine)
    await this.#world.settle()
  }

  /** After a start of the process: what was under way goes on. */
  restore(): void {
    for (const [id, { upAt, script, member }] of this.#fleet.entries()) {
      if (script && !script.ended) this.#onboarding.restore(id, script)
      else if (!member) this.#world.schedule('machine', id, upAt)
      if (!member) continue
      for (const at of [member.startsAt, upAt]) this.#world.reschedule('machine', id, at)
      for (const { at } of member.begins ?? []) this.#world.schedule('machine', id, at)
      if (!member.fails?.told) this.#world.schedule('machine', id, member.fails?.at)
      this.#world.schedule('machine', id, member.asksAt)
    }
  }

  #make({ id, name, address, template, firstBoot, accountId, nodePoolId, link }: MachineOrder, now: number): WorldMachine {
    const takes = template && (this.#handedOver(template.replaces, id, name) ?? this.#limits.take({ kind: KIND, ...(accountId !== undefined && { account: accountId }), areas: areasOf(template.instanceArea) }, `the machine ${name}`, MachineRefused))
    const machine: WorldMachine = {
      name, address, power: 'off', powerSince: now, link, linkSince: now, boots: 0, ...(firstBoot !== undefined && { firstBoot }), ...(nodePoolId !== undefined && { pool: nodePoolId }), ...(takes && { takes }),
      ...(template?.replaces !== undefined && { replaces: template.replaces }),
    }
    this.#fleet.put(id, machine)
    return machine
  }

  /** What the machine that it replaces had taken, where that is still there. */
  #handedOver(replaces: string | undefined, id: string, name: string): WorldMachine['takes'] {
    const before = replaces === undefined ? undefined : this.#fleet.get(replaces)
    if (replaces === undefined || !before?.takes) return undefined
    const takes = this.#limits.handOver(before.takes, `the machine ${name}`, MachineRefused)
    delete before.takes
    before.replacedBy = id
    this.#fleet.put(replaces, before)
    return takes
  }

  /** Where the machine that it replaced is still there, it is that one's again; of one that was replaced itself that one's successor is the one that takes over now. */
  #giveBack({ takes, replaces, replacedBy }: WorldMachine): void {
    const before = replaces === undefined ? undefined : this.#fleet.get(replaces)
    if (!takes) {
      const next = replacedBy === undefined ? undefined : this.#fleet.get(replacedBy)
      if (replaces === undefined || replacedBy === undefined || !before || !next) return
      next.replaces = replaces
      before.replacedBy = replacedBy
      this.#fleet.put(replacedBy, next)
      this.#fleet.put(replaces, before)
      return
    }
    if (replaces === undefined || !before || before.takes) return this.#limits.giveBack(takes)
    before.takes = takes
    this.#fleet.put(replaces, before)
  }

  #switchOn(id: string, machine: WorldMachine, now: number): void {
    machine.boots++
    machine.power = 'on'
    machine.powerSince = machine.lastOnAt = now
    const fault = this.#faults.strike('machines', 'boot', targetOfMachine(id, machine))
    if (fault && fault.effect.type !== 'slow') delete machine.upAt // it does not come up
    else machine.upAt = now + this.#world.draw.within(this.#durations.boot, 'machines', 'boot', id, machine.boots) + (fault?.effect.type === 'slow' ? fault.effect.for ?? 0 : 0)
    delete machine.stuck
    if (fault && !machine.member) machine.stuck = { step: 'boot', since: now, ...ends(fault) ? { text: fault.effect.message ?? 'Its system ended while it came up', failed: true } : { text: 'its system is coming up' } }
    this.#world.schedule('machine', id, machine.upAt)
  }

  #switchOff(machine: WorldMachine, now: number): void {
    machine.power = 'off'
    machine.powerSince = now
    delete machine.upAt
    this.#onboarding.interrupt(machine)
  }

  #setLink(machine: WorldMachine, link: WorldMachine['link'], now: number): void {
    machine.link = link
    machine.linkSince = now
  }

  #changed(id: string, machine: WorldMachine): void {
    this.#fleet.put(id, machine)
    this.#fleet.tell(id)
    this.#kubelets.refresh(id)
    // What waited for the network goes on.
    if (machine.link === 'up') this.#world.schedule('machine', id, this.#world.now())
  }

  #live(id: string): void {
    const machine = this.#fleet.get(id), now = this.#world.now()
    if (!machine || machine.power === 'off') return
    const runsFirst = machine.firstBoot !== undefined && !machine.member && (machine.upAt ?? Infinity) <= now && (!machine.script || (machine.script.ended === true && machine.script.startedAt < (machine.lastOnAt ?? 0)))
    if (runsFirst && machine.firstBoot !== undefined) this.#onboarding.begin(id, machine, machine.firstBoot)
    this.#onboarding.live(id, machine)
    // A kubelet that starts with its machine asks for its node where that is gone; it gets it while it is a member.
    if (machine.upAt === now && machine.member) this.#kubelets.register(id)
  }
}

/** Every name that the order's area has, since a stock may be kept under any of them. */
function areasOf(area: Readonly<Record<string, unknown>> | undefined): readonly string[] {
  return Object.values(area ?? {}).filter(value => typeof value === 'string')
}
