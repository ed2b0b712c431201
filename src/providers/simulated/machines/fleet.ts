import { MachineHeld } from '#ports/machines.ts'
import { protectedThing } from '#ports/not-removed.ts'
import type { FaultTarget } from '#ports/region-world.ts'
import type { WorldMachine } from '../world/things.ts'
import type { World } from '../world/world.ts'
import { seeMachine } from './see-machine.ts'

/** The machines of a world, with those of each cluster at hand. */
export class Fleet {
  readonly #world: World
  readonly #table
  readonly #byCluster = new Map<string, Set<string>>()
  readonly #onChange = new Set<(id: string) => void>()

  constructor(world: World) {
    this.#world = world
    this.#table = world.table<WorldMachine>('machine', { replays: true })
  }

  get(id: string): WorldMachine | undefined {
    return this.#table.get(id)
  }

  entries(): IterableIterator<[string, WorldMachine]> {
    return this.#table.entries()
  }

  /** Machines that a cluster admitted, in no order. */
  membersOf(clusterId: string): readonly string[] {
    return [...this.#byCluster.get(clusterId) ?? []]
  }

  put(id: string, machine: WorldMachine): void {
    const before = this.#table.get(id)?.member?.clusterId
    this.#table.put(id, machine)
    this.#index(id, machine, before)
  }

  /** Sets or clears the membership, in the order that keeps the index right. */
  setMember(id: string, machine: WorldMachine, member: WorldMachine['member']): void {
    const before = machine.member?.clusterId
    if (member) machine.member = member
    else delete machine.member
    this.#table.put(id, machine)
    this.#index(id, machine, before)
  }

  remove(id: string): void {
    const machine = this.#table.get(id)
    if (!machine) return
    if (machine.member) this.#byCluster.get(machine.member.clusterId)?.delete(id)
    this.#table.delete(id)
    this.tell(id)
  }

  /** Called at every change of power or link. */
  onChange(told: (id: string) => void): () => void {
    this.#onChange.add(told)
    return () => { this.#onChange.delete(told) }
  }

  tell(id: string): void {
    const machine = this.#table.get(id)
    this.#world.tell({ kind: 'Machine', id, seen: machine && seeMachine(id, machine, this.#world.draw) })
    for (const told of this.#onChange) told(id)
  }

  restore(): void {
    for (const [id, machine] of this.#table.entries()) this.#index(id, machine, undefined)
  }

  #index(id: string, machine: WorldMachine, before: string | undefined): void {
    const after = machine.member?.clusterId
    if (before !== undefined && before !== after) this.#byCluster.get(before)?.delete(id)
    if (after === undefined) return
    const members = this.#byCluster.get(after)
    if (members) members.add(id)
    else this.#byCluster.set(after, new Set([id]))
  }
}

/** What the world's provider says of a machine that it does not remove. */
export function machineHeld(id: string, name: string | undefined, why?: string): MachineHeld {
  const names = { thing: `The machine ${name === undefined ? id : `${name} (${id})`}`, call: 'ReleaseMachine' }
  return new MachineHeld(protectedThing(names, why), { names })
}

/** A machine is meant by its own name and id, by those of the node that it is, by its pool and by its cluster. */
export function targetOfMachine(id: string, machine: Pick<WorldMachine, 'name' | 'member' | 'pool'> | undefined): FaultTarget {
  const { member, name, pool } = machine ?? {}
  return {
    kind: 'Machine', id, name,
    // A machine of a pool is made for one node, and its id says for which, before it ever joined.
    also: [{ kind: 'Node', id: member?.nodeId ?? `n${id.slice(1)}`, name: member?.nodeName ?? name }, ...pool === undefined ? [] : [{ kind: 'NodePool', id: pool }], ...member ? [{ kind: 'Cluster', id: member.clusterId }] : []],
  }
}
