import type { AddonSpec, SupportedAddon } from '#model/addon/record.ts'
import { AddonConflict, AddonHeld, type AddonInstaller, type AddonSeen } from '#ports/addon-installer.ts'
import { protectedThing } from '#ports/not-removed.ts'
import type { FaultTarget } from '#ports/region-world.ts'
import { TenantClusterUnreachable, type TenantClusterAddress } from '#ports/tenant-cluster.ts'
import type { FaultyPort } from '../faults/faulty.ts'
import type { AddonGround } from '../simulated-region.ts'
import { isSchedulable } from '../tenant/see-node.ts'
import type { WorkloadOrder } from '../workloads/workload.ts'
import { WORLD_ADDONS, type WorldAddon } from './catalogue.ts'

const DEFINITION = 'CustomResourceDefinition'

/** Installs the world's add-ons as their charts would: workloads, definitions, and nothing that somebody else made. */
export class WorldAddons implements AddonInstaller {
  readonly #ground: AddonGround

  constructor(ground: AddonGround) {
    this.#ground = ground
  }

  catalogue(): readonly SupportedAddon[] {
    return WORLD_ADDONS
  }

  async ensure({ clusterId }: TenantClusterAddress, { name, version, config }: Pick<AddonSpec, 'name' | 'version' | 'config'>): Promise<void> {
    this.#reach(clusterId)
    const { world, workloads, objects } = this.#ground
    const addon = addonOf(name)
    const orders = addon.workloads(version).map(order => configured(order, config))
    for (const order of orders) this.#refuseTaken(clusterId, name, order)
    for (const kind of addon.kinds) objects.put({ clusterId, kind: DEFINITION, namespace: '', name: kind, finalizers: [], owner: name })
    for (const order of orders) workloads.apply(clusterId, name, order)
    await world.settle()
  }

  async look({ clusterId }: TenantClusterAddress, name: string): Promise<AddonSeen | undefined> {
    this.#reach(clusterId)
    const { workloads, nodes } = this.#ground
    const own = workloads.of(clusterId, name)
    if (own.length === 0) return undefined
    return {
      version: own[0]?.image.split(':')[1] ?? '',
      workloads: own.map(workload => workloads.see(workload)),
      schedulableNodes: nodes.of(clusterId).filter(isSchedulable).length,
    }
  }

  /** Each thing goes on its own; all that could not be removed is told together. */
  async ensureGone({ clusterId }: TenantClusterAddress, name: string, { crds }: { readonly crds: 'Delete' | 'Retain' }): Promise<void> {
    this.#reach(clusterId)
    const { world, workloads, objects } = this.#ground
    for (const workload of workloads.of(clusterId, name)) workloads.remove(clusterId, workload)
    const left: Error[] = []
    for (const kind of crds === 'Delete' ? addonOf(name).kinds : []) {
      const stuck = objects.of(clusterId, kind).filter(object => !objects.delete(object))
      for (const { namespace, name: which, finalizers } of stuck) left.push(new Error(`${kind} ${namespace}/${which} waits for ${finalizers.join(', ')}, which nobody serves; so the definition of ${kind} stays`))
      if (stuck.length === 0) objects.delete({ clusterId, kind: DEFINITION, namespace: '', name: kind })
    }
    await world.settle()
    if (left.length > 0) throw new AggregateError(left, `Removing ${name}`)
  }

  #refuseTaken(clusterId: string, name: string, { kind, namespace, name: which }: WorkloadOrder): void {
    const { workloads, objects } = this.#ground
    const workload = workloads.of(clusterId).find(one => one.kind === kind && one.namespace === namespace && one.name === which)
    const object = objects.get({ clusterId, kind, namespace, name: which })
    if ((workload && workload.owner !== name) || (object && object.owner !== name)) throw new AddonConflict(`${kind} ${which} is in the namespace ${namespace} already and does not belong to the add-on ${name}`)
  }

  #reach(clusterId: string): void {
    if (!this.#ground.planes.isUp(clusterId)) throw new TenantClusterUnreachable('connection refused')
  }
}

/** How faults before the installer are told. */
export function faultyAddons(): FaultyPort {
  const target = (args: readonly unknown[]): FaultTarget => {
    const [cluster, given] = args as [TenantClusterAddress, string | { name: string }]
    const name = typeof given === 'string' ? given : given.name
    return { kind: 'Addon', id: `${cluster.clusterId}:${name}`, name, also: [{ kind: 'Cluster', id: cluster.clusterId }] }
  }
  return {
    port: 'addon-installer',
    target: (_call, args) => target(args),
    failure: (_call, message, code) => code === 'unreachable' ? new TenantClusterUnreachable(message) : new Error(message),
    held({ name = '' }, _call, message) {
      const names = { thing: `The load balancer that ${name} asked for`, call: 'DeleteLoadBalancer' }
      return new AggregateError([new AddonHeld(protectedThing(names, message), { names })], `Removing ${name}`)
    },
  }
}

function addonOf(name: string): WorldAddon {
  const addon = WORLD_ADDONS.find(one => one.name === name)
  if (!addon) throw new Error(`There is no chart of ${name}`)
  return addon
}

/** The members of a configuration that these charts know; others are theirs to ignore. */
function configured(order: WorkloadOrder, config: string | undefined): WorkloadOrder {
  if (config === undefined) return order
  const values = JSON.parse(config) as { replicas?: unknown; image?: unknown }
  return {
    ...order,
    ...(typeof values.replicas === 'number' && Number.isInteger(values.replicas) && values.replicas >= 0 && order.kind === 'Deployment' && { replicas: values.replicas }),
    ...(typeof values.image === 'string' && { image: values.image }),
  }
}
