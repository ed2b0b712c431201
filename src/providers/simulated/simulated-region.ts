import type { AddonInstaller } from '#ports/addon-installer.ts'
import type { Clock } from '#ports/clock.ts'
import type { ControlPlaneHost } from '#ports/control-plane-host.ts'
import type { Log } from '#ports/log.ts'
import type { Machines } from '#ports/machines.ts'
import type { OutsideResources } from '#ports/outside.ts'
import type { RegionChange, RegionEvents } from '#ports/region-events.ts'
import type { RemoteShell } from '#ports/remote-shell.ts'
import type { TenantCluster } from '#ports/tenant-cluster.ts'
import { faultyAddons, WorldAddons } from './addons/installer.ts'
import { ControlPlanes } from './control-planes/control-planes.ts'
import { USUAL_DURATIONS, type Durations } from './durations.ts'
import { faulty } from './faults/faulty.ts'
import { Faults } from './faults/faults.ts'
import { faultyControlPlanes, faultyMachines, faultyOutside, faultyTenantClusters } from './faults/ports.ts'
import { Limits } from './limits/limits.ts'
import { Fleet } from './machines/fleet.ts'
import { Kubelets } from './machines/kubelets.ts'
import { Onboarding } from './machines/onboarding.ts'
import { seeMachine } from './machines/see-machine.ts'
import { SimulatedMachines } from './machines/simulated-machines.ts'
import { SimulatedShell } from './machines/simulated-shell.ts'
import { Objects } from './objects/objects.ts'
import { Users } from './objects/users.ts'
import { Outside } from './outside/outside.ts'
import type { WorldStore } from './store/world-store.ts'
import { Insides } from './tenant/insides.ts'
import { Nodes } from './tenant/nodes.ts'
import { seeNode } from './tenant/see-node.ts'
import { SimulatedTenantCluster, type Pods } from './tenant/simulated-tenant-cluster.ts'
import { ClusterDns, isBase } from './workloads/cluster-dns.ts'
import { Images } from './workloads/images.ts'
import { Workloads } from './workloads/workloads.ts'
import { Draw } from './world/draw.ts'
import { World } from './world/world.ts'

export interface SimulatedRegionOptions {
  readonly name: string
  readonly seed: number
  /** By which its ids differ from those of other regions of its seed; nothing that is drawn depends on it. */
  readonly lane?: number
  /** The region's time; the world lives by nothing else. */
  readonly clock: Clock
  readonly store: WorldStore
  readonly log: Log
  readonly durations?: Partial<Durations>
  /** The URL that a cluster's kubeconfig names: an address of ours that says what it is. */
  readonly serverOf: (clusterId: string) => string
}

/** One simulated region: the ports over its world, what it tells of itself, and what a person may arrange in it. */
export interface SimulatedRegion {
  readonly host: ControlPlaneHost
  readonly tenant: TenantCluster
  readonly machines: Machines
  readonly shell: RemoteShell
  readonly outside: OutsideResources & Pick<Outside, 'protect'>
  readonly events: RegionEvents & {
    /** What may have been told to a process that ended before it dealt with it, as it is now; it stays so until it is `heard`. */
    unheard(): readonly RegionChange[]
    /** As everything, in parts of so many machines or clusters, each as it is when it is asked for. */
    inParts(machines: number, clusters: number): Iterable<() => readonly RegionChange[]>
  }
  /** Answers to what machines asked by changes of the kinds Join and Membership. */
  readonly onboarding: Pick<Onboarding, 'admitted' | 'refused' | 'membership'>
  readonly faults: Faults
  /** The latest instant from which on calls may be met otherwise, or those about the thing of that id. */
  readonly toldAt: (id?: string) => number | undefined
  readonly limits: Limits
  /** What users of its clusters would do with kubectl. */
  readonly users: Users
  readonly addons: AddonInstaller
  /** What the installer works on. */
  readonly ground: AddonGround
}

/** What an installer of add-ons needs of the world: a cluster's workloads and objects. */
export interface AddonGround {
  readonly world: World
  readonly planes: ControlPlanes
  readonly nodes: Nodes
  readonly workloads: Workloads
  readonly objects: Objects
}

/** Opens the world of a region as it was left, or a new one. Its caller is the only one that has it open. */
export async function openSimulatedRegion(options: SimulatedRegionOptions): Promise<SimulatedRegion> {
  const durations = { ...USUAL_DURATIONS, ...options.durations }
  const world = new World({ region: options.name, draw: new Draw(options.seed, options.lane), clock: options.clock, store: options.store, log: options.log })
  const faults = new Faults(world), limits = new Limits(world), fleet = new Fleet(world), insides = new Insides(world)
  const planes = new ControlPlanes(world, faults, durations)
  const nodes = new Nodes(world, planes)
  const onboarding = new Onboarding(world, faults, durations, fleet)
  const kubelets = new Kubelets({ world, faults, fleet, planes, nodes, insides, onboarding })
  nodes.connect(kubelets)
  const machines = new SimulatedMachines({ world, faults, durations, fleet, limits, onboarding, kubelets })
  const outside = new Outside(world, limits, durations)
  const images = new Images(world)
  const workloads = new Workloads({ world, planes, nodes, images, faults, durations })
  const objects = new Objects(world)
  const ground: AddonGround = { world, planes, nodes, workloads, objects }
  const dns = new ClusterDns(world, workloads, nodes, planes)
  workloads.onChange((clusterId, owner, moved) => {
    if (owner !== undefined) world.tell({ kind: 'Workload', clusterId, addon: owner })
    if (owner === undefined || (moved && (!isBase(owner) || workloads.needsNodes(clusterId)))) world.tell({ kind: 'Room', clusterId })
  })
  // With each node it changes where pods of add-ons and of the base could go.
  nodes.onChange(clusterId => { if (planes.isUp(clusterId) && workloads.needsNodes(clusterId)) world.tell({ kind: 'Room', clusterId }) })
  const pods: Pods = {
    ensureDns: clusterId => dns.ensure(clusterId), dns: clusterId => dns.count(clusterId), evict: (clusterId, name) => workloads.evict(clusterId, name), room: clusterId => workloads.room(clusterId),
  }
  const tenant = new SimulatedTenantCluster({ world, planes, nodes, insides, pods, serverOf: options.serverOf })
  tenant.onMembers(clusterId => kubelets.registerWaiting(clusterId))
  nodes.onChange((clusterId, name) => {
    // A machine whose Node object was taken off will ask whether it is still a member.
    if (nodes.get(clusterId, name)) return
    for (const id of fleet.membersOf(clusterId)) {
      const machine = fleet.get(id)
      if (machine?.member?.nodeName === name) onboarding.asksLater(id, machine)
    }
  })
  const afterAll = (id: string): readonly RegionChange[] => {
    const machine = fleet.get(id)
    return machine ? [{ kind: 'MachineAfterAll', seen: seeMachine(id, machine, world.draw) }] : []
  }
  const podsOf = (clusterId: string): readonly RegionChange[] => {
    const owners = new Set(workloads.of(clusterId).map(({ owner }) => owner))
    return [{ kind: 'Room', clusterId }, ...[...owners].flatMap(addon => (addon === undefined ? [] : [{ kind: 'Workload' as const, clusterId, addon }]))]
  }
  // What a fault keeps from being seen, or lets be seen wrongly, is looked at when it begins and when it ends.
  faults.onChange(() => {
    for (const [clusterId] of planes.entries()) {
      world.tell({ kind: 'ControlPlane', clusterId })
      for (const change of podsOf(clusterId)) world.tell(change)
    }
  })
  faults.onLieEnd((port, call, id) => { if (port === 'machines' && call === 'look') for (const change of afterAll(id)) world.tell(change) })
  world.onTurn(() => onboarding.turned())
  planes.onTurn(clusterId => {
    if (planes.isUp(clusterId)) onboarding.turned()
    if (planes.plane(clusterId)) return
    insides.remove(clusterId)
    objects.removeAll(clusterId)
  })

  await world.load()
  fleet.restore()
  nodes.restore()
  planes.restore()
  machines.restore()
  outside.restore()
  workloads.restore()
  faults.restore()
  dns.restore([...planes.entries()].flatMap(([clusterId]) => (planes.isUp(clusterId) ? [clusterId] : [])))

  const machineNow = (id: string): RegionChange => {
    const machine = fleet.get(id)
    return { kind: 'Machine', id, seen: machine && seeMachine(id, machine, world.draw) }
  }
  const nodeNow = (clusterId: string, name: string): RegionChange => {
    const node = nodes.get(clusterId, name)
    return { kind: 'Node', clusterId, name, seen: node && seeNode(node, world.draw, world.now()) }
  }
  const answering = (): readonly string[] => [...planes.entries()].flatMap(([clusterId]) => (planes.isUp(clusterId) ? [clusterId] : []))
  function* inParts(size: number, clustersAtOnce: number): Generator<() => readonly RegionChange[]> {
    onboarding.askAgain()
    for (const ids of partsOf([...fleet.entries()].map(([id]) => id), size)) yield () => ids.flatMap(id => (fleet.get(id) ? [machineNow(id)] : []))
    for (const ids of partsOf(answering(), clustersAtOnce)) yield () => ids.flatMap(clusterId => (planes.isUp(clusterId) ? nodes.of(clusterId).map(({ name }) => nodeNow(clusterId, name)) : []))
    for (const ids of partsOf([...planes.entries()].map(([clusterId]) => clusterId), clustersAtOnce)) yield () => ids.flatMap(clusterId => [{ kind: 'ControlPlane' as const, clusterId }, ...podsOf(clusterId)])
  }
  const unheard = (): readonly RegionChange[] => world.unheard().flatMap((told): readonly RegionChange[] => {
    switch (told[0]) {
      case 'Machine': return [machineNow(told[1])]
      case 'MachineAfterAll': return afterAll(told[1])
      case 'Node': return planes.isUp(told[1]) ? [nodeNow(told[1], told[2])] : []
      case 'Workload': return [{ kind: told[0], clusterId: told[1], addon: told[2] }]
      case 'Turn': return [{ kind: told[0] }]
      case 'ControlPlane':
      case 'Room': return [{ kind: told[0], clusterId: told[1] }]
    }
  })
  const nodeTarget = (clusterId: string, name: string) => {
    const machineId = nodes.get(clusterId, name)?.machine
    const machine = machineId === undefined ? undefined : fleet.get(machineId)
    return {
      kind: 'Node', id: machine?.member?.nodeId ?? `${clusterId}/${name}`, name, labels: nodes.get(clusterId, name)?.labels,
      also: [{ kind: 'Cluster', id: clusterId, name: planes.plane(clusterId)?.name }, ...machineId === undefined ? [] : [{ kind: 'Machine', id: machineId, name: machine?.name }], ...machine?.pool === undefined ? [] : [{ kind: 'NodePool', id: machine.pool }]],
    }
  }
  return {
    host: faulty(planes as ControlPlaneHost, { world, faults, how: faultyControlPlanes(planes) }),
    tenant: faulty(tenant as TenantCluster, { world, faults, how: faultyTenantClusters(planes, nodeTarget) }),
    shell: new SimulatedShell({ world, faults, fleet, onboarding }),
    machines: faulty(machines as Machines, { world, faults, how: faultyMachines(fleet) }),
    outside: faulty(outside as OutsideResources & Pick<Outside, 'protect'>, { world, faults, how: faultyOutside(outside) }),
    events: {
      nextAt: () => world.nextAt(), liveUntil: at => world.liveUntil(at), heard: () => world.heard(), unheard, inParts,
      everything: async () => [...inParts(Infinity, Infinity)].flatMap(part => part()),
    },
    onboarding, faults, limits,
    toldAt: id => latest(world.turnedAt(), id === undefined ? undefined : faults.releasedAt(id)),
    users: new Users({ world, planes, objects, workloads, images }),
    ground,
    addons: faulty(new WorldAddons(ground) as AddonInstaller, { world, faults, how: faultyAddons() }),
  }
}

function latest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? one ?? other : Math.max(one, other)
}

function partsOf<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  if (items.length <= size) return items.length === 0 ? [] : [items]
  return Array.from({ length: Math.ceil(items.length / size) }, (_, part) => items.slice(part * size, (part + 1) * size))
}
